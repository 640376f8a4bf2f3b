/** Samples to what a model is fed: names matched, batched, and converted where nothing can be lost. */
import { DataError } from "../errors.ts";
import { arrayOf, type DType, isFloat, numberToHalf, Tensor, toNumbers } from "../tensor/index.ts";
import type { Sample } from "./dataset.ts";
import { describeInput, type ModelInput } from "./model-input.ts";

/** One set of inputs of a model, by input name, with a batch axis. */
export type BatchFeeds = Readonly<Record<string, Tensor>>;

/** What messages call the samples. */
export interface SampleNames {
  /** Name of the data set. */
  readonly where: string;
  /** Name of a sample by its place in the batch, such as its file. Default: its number. */
  readonly nameOf?: (index: number) => string;
}

/**
 * Puts samples together to one batch for a model.
 *
 * A sample of one array goes to a model's only input whatever its name; otherwise names must match. Numbers are converted
 * to the input's element type if they keep their meaning: between float types, and whole numbers that fit. A flat input
 * ([batch, length]) takes samples of any shape with that many elements.
 *
 * @throws DataError if names, types or shapes do not fit the model, or samples differ in shape.
 */
export function toFeeds(
  samples: readonly Sample[],
  inputs: readonly ModelInput[],
  { where, nameOf = (index) => `sample ${index}` }: SampleNames,
): BatchFeeds {
  const names = { where, nameOf };
  const first = samples[0];
  if (first === undefined) throw new DataError(`${where}: a batch must hold samples, got none.`);
  const arrays = Object.keys(first);
  const only = inputs.length === 1 && arrays.length === 1 ? arrays[0] : undefined;
  const unknown = arrays.filter((name) => name !== only && inputs.every((input) => input.name !== name));
  const feeds: Record<string, Tensor> = {};
  for (const input of inputs) {
    const name = only ?? input.name;
    if (!Object.hasOwn(first, name) || unknown.length > 0) {
      throw new DataError(
        `${where}: must hold one array for each input of the model (${inputs.map((one) => one.name).join(", ")}), ` +
          `got ${arrays.join(", ")}. Use a .npz file with arrays of these names.`,
      );
    }
    const batch = stack(
      samples.map((sample) => sample[name]!),
      names,
    );
    feeds[input.name] = fitShape(convert(batch, input, where), input, names);
  }
  return feeds;
}

/** Puts tensors of one shape together along a new first axis. */
function stack(tensors: readonly Tensor[], { where, nameOf }: Required<SampleNames>): Tensor {
  const [first] = tensors as readonly [Tensor, ...Tensor[]];
  const data = new (arrayOf(first.dtype))(first.data.length * tensors.length);
  for (const [i, tensor] of tensors.entries()) {
    if (tensor.shape.join() !== first.shape.join() || tensor.dtype !== first.dtype) {
      throw new DataError(
        `${where}: samples of one batch must have one shape, got [${first.shape.join(", ")}] (${nameOf(0)}) and ` +
          `[${tensor.shape.join(", ")}] (${nameOf(i)}). Resize or crop pictures to one size (--resize, --crop), or use batches of one.`,
      );
    }
    (data as Float32Array).set(tensor.data as Float32Array, i * first.data.length);
  }
  return new Tensor(first.dtype, [tensors.length, ...first.shape], data);
}

function fitShape(tensor: Tensor, input: ModelInput, { where, nameOf }: Required<SampleNames>): Tensor {
  const { shape } = input;
  if (shape === undefined) return tensor;
  const fits =
    shape.length === tensor.shape.length &&
    shape.every((length, axis) => axis === 0 || typeof length !== "number" || length === tensor.shape[axis]);
  if (fits) return tensor;
  const batch = tensor.shape[0]!;
  if (shape.length === 2 && shape[1] === tensor.size / batch) {
    return new Tensor(tensor.dtype, [batch, tensor.size / batch], tensor.data);
  }
  // Gray pictures: [batch, 1, height, width] and [batch, height, width] are the same numbers.
  const squeezed = tensor.shape.filter((length, axis) => axis === 0 || length !== 1);
  const wanted = shape
    .map((length, axis) => (axis === 0 ? batch : length))
    .filter((length, axis) => !axis || length !== 1);
  if (shape.length !== tensor.shape.length && squeezed.join() === wanted.join()) {
    return new Tensor(
      tensor.dtype,
      shape.map((length, axis) => (axis === 0 ? batch : (length as number))),
      tensor.data,
    );
  }
  throw new DataError(
    `${where}: samples must fit the model's input ${describeInput(input)}, got [${tensor.shape.slice(1).join(", ")}] ` +
      `without the batch axis (${nameOf(0)}).`,
  );
}

const WHOLE_RANGES: ReadonlyMap<DType, readonly [number, number]> = new Map<DType, readonly [number, number]>([
  ["int8", [-128, 127]],
  ["uint8", [0, 255]],
  ["int16", [-32768, 32767]],
  ["uint16", [0, 65535]],
  ["int32", [-(2 ** 31), 2 ** 31 - 1]],
  ["uint32", [0, 2 ** 32 - 1]],
  ["int64", [-(2 ** 53), 2 ** 53]],
  ["uint64", [0, 2 ** 53]],
  ["bool", [0, 1]],
]);

function convert(tensor: Tensor, input: ModelInput, where: string): Tensor {
  const { dtype } = input;
  if (dtype === undefined || tensor.dtype === dtype) return tensor;
  if (isFloat(tensor.dtype) && isFloat(dtype) && dtype !== "bfloat16") {
    const numbers = toNumbers(tensor);
    const data =
      dtype === "float16"
        ? Uint16Array.from(numbers, numberToHalf)
        : dtype === "float32"
          ? Float32Array.from(numbers)
          : numbers;
    return new Tensor(dtype, tensor.shape, data);
  }
  const range = WHOLE_RANGES.get(dtype);
  if (range === undefined || !WHOLE_RANGES.has(tensor.dtype)) {
    throw new DataError(
      `${where}: samples must be of the type of the model's input ${describeInput(input)}, got ${tensor.dtype}. ` +
        `Apply the model's preprocessing and save the array as ${dtype}.`,
    );
  }
  const numbers = toNumbers(tensor);
  const outside = numbers.find((number) => number < range[0] || number > range[1]);
  if (outside !== undefined) {
    throw new DataError(
      `${where}: samples must lie in the range of the model's input ${describeInput(input)}, got ${outside}.`,
    );
  }
  const data =
    dtype === "int64"
      ? BigInt64Array.from(numbers, BigInt)
      : dtype === "uint64"
        ? BigUint64Array.from(numbers, BigInt)
        : (arrayOf(dtype) as Int32ArrayConstructor).from(numbers);
  return new Tensor(dtype, tensor.shape, data);
}
