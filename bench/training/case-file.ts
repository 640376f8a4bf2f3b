/**
 * A case with its numbers, as two files that any language reads: `case.json` says what lies where in `case.bin`.
 * Drawn once per run from the seed, so that every side starts from the same weights and sees the same batches.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { seededRandom } from "../../src/tensor/index.ts";
import { OPTIMIZER, type TrainingCase } from "./cases/case.ts";

/** One array in `case.bin`: 32-bit numbers, little-endian, beginning at byte `offset`. */
interface StoredArray {
  readonly name: string;
  readonly dtype: "float32" | "int32";
  readonly shape: readonly number[];
  readonly offset: number;
}

/** The content of `case.json`. */
interface CaseFile {
  readonly case: TrainingCase;
  readonly optimizer: typeof OPTIMIZER;
  readonly parameters: readonly StoredArray[];
  /** Sides step through these in order and then begin again. */
  readonly batches: readonly { readonly inputs: StoredArray; readonly labels: StoredArray }[];
}

/** One batch: numbers [batch, ...shape] or token ids [batch, length], and a class for each example. */
export interface Batch {
  readonly inputs: Float32Array | Int32Array;
  readonly labels: Int32Array;
}

/** What a side is given. */
export interface LoadedCase {
  readonly case: TrainingCase;
  readonly optimizer: typeof OPTIMIZER;
  readonly parameters: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly values: Float32Array;
  }[];
  readonly batches: readonly Batch[];
}

/** Enough that a network does not learn the batches by heart within a run. */
const BATCHES = 8;

/** Draws the numbers of a case and writes both files into `folder`, which is made. */
export async function writeCase(one: TrainingCase, seed: number, folder: string): Promise<void> {
  const random = seededRandom(seed);
  const chunks: Uint8Array[] = [];
  let offset = 0;
  const store = (name: string, shape: readonly number[], values: Float32Array | Int32Array): StoredArray => {
    const stored = { name, dtype: values instanceof Float32Array ? "float32" : "int32", shape, offset } as const;
    chunks.push(new Uint8Array(values.buffer));
    offset += values.byteLength;
    return stored;
  };
  const floats = (shape: readonly number[], draw: () => number) =>
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, draw);

  const parameters = one.parameters.map(({ name, shape, initial }) => {
    const draw = "constant" in initial ? () => initial.constant : () => initial.deviation * random.normal();
    return store(name, shape, floats(shape, draw));
  });
  const { input } = one;
  const batches = Array.from({ length: BATCHES }, (_, i) => {
    const inputs =
      input.kind === "numbers"
        ? store(`inputs.${i}`, [one.batch, ...input.shape], floats([one.batch, ...input.shape], random.normal))
        : store(
            `inputs.${i}`,
            [one.batch, input.length],
            Int32Array.from({ length: one.batch * input.length }, () => random.integer(input.vocabulary)),
          );
    const labels = Int32Array.from({ length: one.batch }, () => random.integer(one.classes));
    return { inputs, labels: store(`labels.${i}`, [one.batch], labels) };
  });
  const file: CaseFile = { case: one, optimizer: OPTIMIZER, parameters, batches };
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "case.json"), JSON.stringify(file));
  await writeFile(join(folder, "case.bin"), chunks);
}

/** Reads what `writeCase` wrote. */
export async function readCase(folder: string): Promise<LoadedCase> {
  const file = JSON.parse(await readFile(join(folder, "case.json"), "utf8")) as CaseFile;
  const bytes = await readFile(join(folder, "case.bin"));
  const read = ({ dtype, shape, offset }: StoredArray) => {
    const length = shape.reduce((a, b) => a * b, 1);
    // A copy: the offset into a Node buffer need not be a multiple of four.
    const buffer = bytes.buffer.slice(bytes.byteOffset + offset, bytes.byteOffset + offset + 4 * length);
    return dtype === "float32" ? new Float32Array(buffer) : new Int32Array(buffer);
  };
  return {
    case: file.case,
    optimizer: file.optimizer,
    parameters: file.parameters.map((stored) => ({
      name: stored.name,
      shape: stored.shape,
      values: read(stored) as Float32Array,
    })),
    batches: file.batches.map(({ inputs, labels }) => ({
      inputs: read(inputs),
      labels: read(labels) as Int32Array,
    })),
  };
}
