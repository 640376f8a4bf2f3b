/** What goes into the present block: of the float program, and of what is quantized so far. */
import { DataError } from "../errors.ts";
import type { Program } from "../program/index.ts";
import type { CalibrationData, Feeds } from "../quantize/index.ts";
import type { Tensor } from "../tensor/index.ts";
import { Samples } from "./samples.ts";

/** The caller's samples, by the names of the program's inputs. */
export interface FeedSamples {
  readonly inputs: ReadonlyMap<string, Samples>;
  readonly count: number;
  /** Length of the batch axis where the program fixes it. */
  readonly fixedBatch: number | undefined;
}

/**
 * Reads samples into memory: those of the shape that comes first, of others none.
 *
 * @param most How many at most.
 * @throws DataError if there are none, or if the inputs of a batch are not equally many samples.
 */
export async function readSamples(program: Program, data: CalibrationData, most: number): Promise<FeedSamples> {
  const read: Feeds[] = [];
  let count = 0;
  for await (const feeds of data.batches()) {
    if (read.length > 0 && !isAlike(feeds, read[0]!)) continue;
    read.push(feeds);
    count += lengthOf(feeds);
    if (count >= most) break;
  }
  const [first] = read;
  if (!first) throw new DataError(`refine: there must be at least one sample, got none from ${data.description}.`);
  const total = Math.min(count, most);
  const inputs = new Map(
    Object.entries(first).map(([name, tensor]) => {
      const samples = new Samples(tensor.dtype, tensor.shape.slice(1), total);
      let at = 0;
      for (const feeds of read) {
        if (at < total) samples.write(at, feeds[name]!);
        at += lengthOf(feeds);
      }
      return [name, samples] as const;
    }),
  );
  const fixed = program.graph.inputs.map(({ shape }) => shape?.[0]).find((length) => typeof length === "number");
  return { inputs, count: total, fixedBatch: fixed as number | undefined };
}

function lengthOf(feeds: Feeds): number {
  const lengths = new Set(Object.values(feeds).map(({ shape }) => shape[0]));
  const [length] = lengths;
  if (lengths.size === 1 && length !== undefined) return length;
  throw new DataError(
    `refine: the first axis of every input must be that of the samples, got lengths ${[...lengths].join(", ")}.`,
  );
}

function isAlike(feeds: Feeds, others: Feeds): boolean {
  const shapeOf = (tensor: Tensor | undefined): string => tensor?.shape.slice(1).join() ?? "";
  return Object.keys(others).every((name) => shapeOf(feeds[name]) === shapeOf(others[name]));
}
