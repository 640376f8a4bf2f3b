/** Feeding blocks: batches of samples, and what they are declared as. */
import type { Ops } from "../build/index.ts";
import type { Value } from "../program/index.ts";
import type { Tensor } from "../tensor/index.ts";
import type { InputSpecification } from "../train/index.ts";
import type { Samples } from "./samples.ts";
import type { BlockInputs, TrainableBlock } from "./trainable-block.ts";

/** What a block is run on. */
export interface BlockData {
  /** Inputs of the whole program, by name. */
  readonly feeds: ReadonlyMap<string, Samples>;
  /** What the blocks before it give in float; absent for a first block. */
  readonly float: Samples | undefined;
  /** What they give when they are quantized. */
  readonly input: Samples | undefined;
  /** What the block gives in float; absent until that is known. */
  readonly target?: Samples | undefined;
  readonly count: number;
  readonly batchSize: number;
}

const FEED = "feed.";

/** The arrays that a block reads, by the names they are fed under. */
function arraysOf({ program }: TrainableBlock, data: BlockData): [string, Samples][] {
  const own = Object.entries({ float: data.float, input: data.input, target: data.target });
  const feeds = [...program.feeds.keys()].map((name) => [`${FEED}${name}`, data.feeds.get(name)] as const);
  return [...own, ...feeds].flatMap(([name, samples]) => (samples ? [[name, samples] as [string, Samples]] : []));
}

/** Declares a batch for a block. */
export function batchInputs(block: TrainableBlock, data: BlockData): Record<string, InputSpecification> {
  return Object.fromEntries(
    arraysOf(block, data).map(([name, { dtype, shape }]) => [name, { dtype, shape: [data.batchSize, ...shape] }]),
  );
}

/** Returns the samples at some places as a batch for a block. */
export function batchAt(block: TrainableBlock, data: BlockData, indices: ArrayLike<number>): Record<string, Tensor> {
  return Object.fromEntries(arraysOf(block, data).map(([name, samples]) => [name, samples.take(indices)]));
}

/** What was declared, as a block reads it: kept in 16 bits, computed in 32. */
export function blockInputs(values: Readonly<Record<string, Value>>, ops: Ops): BlockInputs & { target?: Value } {
  const wide = (name: string): Value | undefined => values[name] && ops.cast(values[name], "float32");
  const feeds = Object.entries(values).flatMap(([name, value]) =>
    name.startsWith(FEED) ? [[name.slice(FEED.length), value] as const] : [],
  );
  const target = wide("target");
  return {
    feeds: Object.fromEntries(feeds),
    input: wide("input"),
    float: wide("float"),
    ...(target && { target }),
  };
}
