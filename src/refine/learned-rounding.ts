/** Learned rounding: block by block, which way to round each weight, with biases and the clips of activations. */
import { countMacs } from "../ops/index.ts";
import type { Program, Value } from "../program/index.ts";
import type { Draft, RefinedPart, Refinement, RefinementContext } from "../quantize/index.ts";
import type { Tensor } from "../tensor/index.ts";
import type { BlockData } from "./block-data.ts";
import { readSamples } from "./block-samples.ts";
import { type Block, findBlocks } from "./blocks.ts";
import { type LearningRates, type Reconstruction, reconstructBlock } from "./reconstruct-block.ts";
import { BlockRunner } from "./run-block.ts";
import type { Samples } from "./samples.ts";
import { TrainableBlock } from "./trainable-block.ts";

/** Options of `learnedRounding`. */
export interface LearnedRoundingOptions {
  /** Steps for each block at most; a deadline may leave fewer. Default 500. */
  readonly iterations?: number;
  /** Samples in a step. Default 16; what the program fixes, where it does. */
  readonly batchSize?: number;
  /** Samples at most. Default 256. */
  readonly samples?: number;
  /** Step sizes of Adam. Default: what did best of a few tried on ResNet-20. */
  readonly rates?: Partial<LearningRates>;
}

const DEFAULT_RATES: LearningRates = { rounding: 0.1, bias: 1e-3, scale: 1e-3 };

/**
 * Learns the rounding of weights block by block (AdaRound, BRECQ) while half of the activations stay in float (QDrop), with
 * biases and the scales of activations (LSQ). The target of each block is its float output, on what the float blocks before
 * give; its input what the quantized blocks before give.
 *
 * Blocks that do not get better on samples kept back stay as they were; so do blocks with operators without a gradient.
 *
 * @see Nagel et al. 2020, arXiv:2004.10568; Li et al. 2021, arXiv:2102.05426; Wei et al. 2022, arXiv:2203.05740; Esser et al.
 *   2020, arXiv:1902.08153
 * @example
 * await quantize(bytes, { runtime, weights: 4, calibration, refinements: [learnedRounding()] });
 */
export function learnedRounding(options: LearnedRoundingOptions = {}): Refinement {
  return {
    name: "learned-rounding",
    summary: "learns which way to round each weight, and where to clip, block by block (AdaRound, BRECQ, QDrop)",
    effort: 3,
    refine: (draft, context) => refine(draft, context, options),
  };
}

async function* refine(
  draft: Draft,
  context: RefinementContext,
  { iterations = 500, batchSize = 16, samples: most = 256, rates }: LearnedRoundingOptions,
): AsyncGenerator<RefinedPart> {
  const blocks = findBlocks(draft.program, [...draft.weights.keys()]);
  const total = blocks.length;
  const { inputs, count, fixedBatch } = await readSamples(draft.program, context.data, most);
  const costs = costsOf(draft.program, blocks);
  const frozen = new Set<Value>();
  let current = draft;
  let float: Samples | undefined;
  let input: Samples | undefined;
  for (const [index, block] of blocks.entries()) {
    context.signal?.throwIfAborted();
    const trainable = new TrainableBlock(current, block, { blocks, frozen });
    const given: BlockData = {
      feeds: inputs,
      float,
      input,
      count,
      batchSize: fixedBatch ?? Math.min(batchSize, count),
    };
    const target = await outputsOf(trainable, given, "float", {}, context);
    const data = { ...given, target };
    const notes: string[] = [];
    let result: Reconstruction | undefined;
    if (index >= context.skip && trainable.isTrainable) {
      const deadlineMs = shareOf(context.deadlineMs, costs, index);
      const learning = { ...context, iterations, deadlineMs, rates: { ...DEFAULT_RATES, ...rates } };
      result = await reconstructBlock(trainable, data, learning);
      current = trainable.draftOf(current, result.variables);
      notes.push(`${block.output.name}: ${described(result)}`);
    } else if (block.reason) notes.push(`${block.output.name}: left as it was, ${block.reason}`);
    for (const group of trainable.gridGroups) frozen.add(group);
    if (index < total - 1) {
      input = await outputsOf(trainable, given, "hard", result?.variables ?? trainable.start, context);
      float = target;
    }
    if (index >= context.skip) yield { draft: current, done: index + 1, total, unit: "block", notes };
  }
}

async function outputsOf(
  block: TrainableBlock,
  data: BlockData,
  mode: "float" | "hard",
  variables: Readonly<Record<string, Tensor>>,
  { runtime, signal }: RefinementContext,
): Promise<Samples> {
  const runner = await BlockRunner.create(block, data, mode, runtime);
  try {
    return await runner.outputs(variables, signal);
  } finally {
    await runner.release();
  }
}

function described({ steps, errorBefore, errorAfter }: Reconstruction): string {
  if (steps === 0) return "left as it was, no time left";
  const decibels = (error: number): string => (-10 * Math.log10(error)).toFixed(1);
  const after = errorAfter < errorBefore ? `${decibels(errorAfter)} dB` : "no better, left as it was";
  return `${decibels(errorBefore)} dB, after ${steps} steps ${after}`;
}

/** What each block's steps cost, in multiply-accumulates or about as much. */
function costsOf(program: Program, blocks: readonly Block[]): number[] {
  const { byNode } = countMacs(program);
  return blocks.map(({ nodes }) => nodes.reduce((sum, node) => sum + (byNode.get(node) ?? 0), 1e6));
}

/** When the block at `index` is to be done, if it and those after it share the time that is left by what they cost. */
function shareOf(deadlineMs: number, costs: readonly number[], index: number): number {
  const left = costs.slice(index).reduce((a, b) => a + b, 0);
  const now = performance.now();
  return now + ((deadlineMs - now) * costs[index]!) / left;
}
