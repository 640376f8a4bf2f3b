/** Outputs that a session computes into memory of ours: used again when the held tensors over it are released. */
import type { InferenceSession, Tensor as OrtTensor, TensorConstructor } from "onnxruntime-common";
import { arrayOf, elementCount } from "../tensor/index.ts";
import { isTransferable } from "./ort-tensor.ts";
import { isRefusalToConvert, UNCONVERTIBLE } from "./unconvertible-output.ts";

type Tensors = Readonly<Record<string, OrtTensor>>;

/** An output of numbers whose shape is known. */
interface GivenOutput {
  readonly name: string;
  readonly dtype: Parameters<typeof arrayOf>[0];
  readonly shape: readonly number[];
}

/** Byte that marks memory nobody has written to yet. */
const UNWRITTEN = 0xa5;

/**
 * Runs a session whose model has an unconvertible output so that nothing is copied. Memory of a held output is taken again
 * for a later run once it was given back; that of other outputs is new in each run.
 *
 * The first run is a test: where the package does not leave the results in the given memory, or hands them over after all,
 * this and all later runs are plain ones.
 */
export class GivenOutputs {
  readonly #outputs: readonly GivenOutput[];
  readonly #held: ReadonlySet<string>;
  readonly #OrtTensorClass: TensorConstructor;
  readonly #free = new Map<string, OrtTensor[]>();
  #state: "untested" | "works" | "does not work" = "untested";

  private constructor(outputs: readonly GivenOutput[], held: readonly string[], OrtTensorClass: TensorConstructor) {
    this.#outputs = outputs;
    this.#held = new Set(held);
    this.#OrtTensorClass = OrtTensorClass;
  }

  /** Returns undefined if the model has no such output, or another output has a shape that is known only when it has run. */
  static of(
    { outputMetadata, outputNames }: InferenceSession,
    held: readonly string[],
    OrtTensorClass: TensorConstructor,
  ): GivenOutputs | undefined {
    if (!outputNames.includes(UNCONVERTIBLE)) return undefined;
    const others = outputMetadata.filter(({ name }) => name !== UNCONVERTIBLE);
    const outputs = others.map(givenOutput).filter((output) => output !== undefined);
    return outputs.length === others.length ? new GivenOutputs(outputs, held, OrtTensorClass) : undefined;
  }

  /**
   * Returns all outputs. Give back those that are held.
   *
   * @param run Runs the session with the fetches that it is given, or with the plain ones.
   */
  async run(run: (given?: Readonly<Record<string, OrtTensor | null>>) => Promise<Tensors>): Promise<Tensors> {
    if (this.#state === "does not work") return run();
    const test = this.#state === "untested";
    const given = Object.fromEntries(this.#outputs.map((output) => [output.name, this.#take(output)]));
    if (test) for (const tensor of Object.values(given)) markUnwritten(tensor);
    try {
      // A version of the package that hands sequences over: nothing is gained, and the results are there.
      const results = await run({ [UNCONVERTIBLE]: null, ...given });
      this.#state = "does not work";
      return results;
    } catch (error) {
      if (!isRefusalToConvert(error)) {
        for (const [name, tensor] of Object.entries(given)) this.giveBack(name, tensor);
        throw error;
      }
    }
    if (test) this.#state = Object.values(given).some(isUnwritten) ? "does not work" : "works";
    return this.#state === "works" ? given : run();
  }

  /** Lets a later run compute into the memory of a tensor that `run` returned. */
  giveBack(name: string, tensor: OrtTensor): void {
    if (this.#state === "does not work" || !this.#held.has(name)) return;
    const free = this.#free.get(name);
    if (free) free.push(tensor);
    else this.#free.set(name, [tensor]);
  }

  #take({ name, dtype, shape }: GivenOutput): OrtTensor {
    const free = this.#free.get(name)?.pop();
    if (free) return free;
    const data = new (arrayOf(dtype))(elementCount(shape));
    // The constructor's overloads list every pair of type and array; arrayOf gives the right one.
    return new this.#OrtTensorClass(dtype as "float32", data as Float32Array, shape);
  }
}

function givenOutput(metadata: InferenceSession.ValueMetadata): GivenOutput | undefined {
  if (!metadata.isTensor || !isTransferable(metadata.type) || metadata.type === "string") return undefined;
  const { name, type: dtype, shape } = metadata;
  if (!shape.every((length) => typeof length === "number")) return undefined;
  return { name, dtype, shape: shape as number[] };
}

function markUnwritten(tensor: OrtTensor): void {
  for (const element of ends(tensor)) element.fill(UNWRITTEN);
}

/** Whether a marked tensor was not written to. Tells wrongly that it was not if just these bytes were: then runs are slower. */
function isUnwritten(tensor: OrtTensor): boolean {
  const bytes = ends(tensor).flatMap((element) => [...element]);
  return bytes.length > 0 && bytes.every((byte) => byte === UNWRITTEN);
}

/** The bytes of the first and of the last element. */
function ends({ data }: OrtTensor): Uint8Array[] {
  const { buffer, byteOffset, byteLength, length } = data as Float32Array;
  if (length === 0) return [];
  const size = byteLength / length;
  return [byteOffset, byteOffset + byteLength - size].map((start) => new Uint8Array(buffer, start, size));
}
