/** Inputs made up from a seed, for models that come without data. */
import { UnsupportedError } from "../errors.ts";
import { floatTensor } from "../prepare/index.ts";
import type { Dimension, Program, Value } from "../program/index.ts";
import { arrayOf, elementCount, isFloat, type Random, seededRandom, type Tensor, zeros } from "../tensor/index.ts";
import type { CalibrationData, Feeds } from "./options.ts";

/** Length given to axes of unknown length beyond the first, by what they usually are. */
const UNKNOWN_PLACES = 64;
const SAMPLES = 16;

/**
 * Makes seeded inputs for a model: smooth noise of mean 0 and standard deviation 1 where floats are wanted, small
 * non-negative integers where indices are. Good enough to run a model and to see its shapes; ranges from it are guesses.
 *
 * @throws UnsupportedError if an input is neither, or has no shape.
 */
export function syntheticData(program: Program, seed: number): CalibrationData {
  const inputs = program.graph.inputs.filter((input) => !input.constant);
  return {
    description: "synthetic input (seeded noise)",
    count: SAMPLES,
    async *batches() {
      const random = seededRandom(seed);
      for (let i = 0; i < SAMPLES; i++) {
        yield Object.fromEntries(
          inputs.map((input) => [input.name, syntheticTensor(input, program, random)]),
        ) satisfies Feeds;
      }
    },
  };
}

function syntheticTensor(input: Value, program: Program, random: Random): Tensor {
  if (!input.dtype || !input.shape) {
    throw new UnsupportedError(
      `calibrate: input "${input.name}" must be a tensor of known rank to be made up, got none. Give calibration data.`,
    );
  }
  const shape = input.shape.map((length, axis) => {
    if (typeof length === "number" && length > 0) return length;
    return axis === 0 || isBatch(length, program) ? 1 : UNKNOWN_PLACES;
  });
  if (isFloat(input.dtype)) return floatTensor(input.dtype, shape, smoothNoise(shape, random));
  if (input.dtype === "string" || input.dtype.startsWith("complex")) {
    throw new UnsupportedError(
      `calibrate: input "${input.name}" must be numeric to be made up, got ${input.dtype}. Give calibration data.`,
    );
  }
  if (input.dtype.includes("int") && arrayOf(input.dtype).BYTES_PER_ELEMENT >= 4)
    return indices(input, shape, program, random);
  return zeros(input.dtype, shape);
}

/** Whether a symbolic length is also that of some input's first axis: the batch, wherever it stands. */
function isBatch(length: Dimension, program: Program): boolean {
  return typeof length === "string" && program.graph.inputs.some(({ shape }) => shape?.[0] === length);
}

/** Returns noise of several scales over the last two axes, as pictures have; plain noise in fewer dimensions. */
export function smoothNoise(shape: readonly number[], random: Random): Float32Array {
  const values = new Float32Array(elementCount(shape));
  const height = shape.length > 2 ? shape.at(-2)! : 1;
  const width = shape.at(-1) ?? 1;
  const plane = height * width;
  if (plane === 0) return values;
  for (let start = 0; start < values.length; start += plane) {
    for (let cell = shape.length > 2 ? 32 : 1, weight = 0.75; cell >= 1; cell = Math.floor(cell / 4), weight /= 2) {
      const columns = Math.ceil(width / cell);
      const noise = Float32Array.from({ length: columns * Math.ceil(height / cell) }, () => random.normal());
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          values[start + y * width + x]! += weight * noise[Math.floor(y / cell) * columns + Math.floor(x / cell)]!;
        }
      }
    }
  }
  return values;
}

/** Integers that every table looked up by this input has rows for. */
function indices(input: Value, shape: readonly number[], program: Program, random: Random): Tensor {
  const tables = program.graph.nodes.filter(
    (node) => node.operator === "Gather" && node.inputs[1] === input && node.inputs[0]?.constant,
  );
  const rows = Math.min(
    ...tables.map((node) => node.inputs[0]!.constant!.shape[0] ?? 2),
    tables.length > 0 ? Number.POSITIVE_INFINITY : 2,
  );
  const tensor = zeros(input.dtype!, shape);
  const { data } = tensor;
  for (let i = 0; i < tensor.size; i++) {
    const index = random.integer(rows);
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(index);
    else (data as Int32Array)[i] = index;
  }
  return tensor;
}
