/** Learning one block: its output shall be the float block's, whatever the blocks before it do. */
import { OptionError } from "../errors.ts";
import { adam } from "../optim/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { float32, type Tensor, toNumbers } from "../tensor/index.ts";
import { compile, type TrainStep, trainStep } from "../train/index.ts";
import { type BlockData, batchAt, batchInputs, blockInputs } from "./block-data.ts";
import { BlockRunner } from "./run-block.ts";
import { SampleBatches, samplesKeptBack } from "./sample-batches.ts";
import { undecided } from "./soft-rounding.ts";
import type { TrainableBlock } from "./trainable-block.ts";

/** How a block is learned. */
export interface ReconstructOptions {
  readonly runtime: Runtime;
  /** Steps at most. */
  readonly iterations: number;
  /** Time of `performance.now()` by which to be done: as many steps are taken as fit. */
  readonly deadlineMs: number;
  readonly seed: number;
  readonly signal: AbortSignal | undefined;
  readonly rates: LearningRates;
}

/** Step sizes of Adam. */
export interface LearningRates {
  /** Of the variables behind roundings, which go from about -2.4 (down) to 2.4 (up). */
  readonly rounding: number;
  /** Of biases, in units of the norm of their channel's weights. */
  readonly bias: number;
  /** Of the logarithm of activation scales. */
  readonly scale: number;
}

/** What became of a block. */
export interface Reconstruction {
  /** The best variables: those it started from, unless others did better on samples that were not learned from. */
  readonly variables: Readonly<Record<string, Tensor>>;
  readonly steps: number;
  /** Squared error over power of the output, on samples kept back: before and after. */
  readonly errorBefore: number;
  readonly errorAfter: number;
}

/** Fewer steps than this are not worth taking. */
const FEWEST_STEPS = 20;
/** Steps in one run of the engine. */
const STEPS_PER_RUN = 5;
/** Share of the steps without a pull towards decided roundings. */
const WARM_UP = 0.2;
/** Exponent of the pull, from the first step after the warm-up to the last: flat in the middle at first, then not. */
const BETA = { from: 8, to: 2 };
/**
 * The pull, in units of the error that all roundings make together at the start. AdaRound's is weaker and its exponent starts
 * at 20, for 20,000 steps; with a few hundred that leaves roundings undecided, and what they become then is left to chance.
 */
const STRENGTH = 20;

/** Learns the roundings, biases and activation scales of a block. Its inputs, and the target, are in `data`. */
export async function reconstructBlock(
  block: TrainableBlock,
  data: BlockData,
  options: ReconstructOptions,
): Promise<Reconstruction> {
  const { runtime, seed, signal } = options;
  const kept = samplesKeptBack(data);
  const runner = await BlockRunner.create(block, data, "hard", runtime);
  try {
    const plan = { steps: options.iterations };
    const step = reconstructionStep(block, data, options.rates, plan, await targetPower(data));
    const { start } = block;
    const errorBefore = await runner.error(start, data.count - kept);
    const training = await compile(step, { runtime, seed, loop: true });
    try {
      const batches = new SampleBatches(data.count === kept ? data.count : data.count - kept, data.batchSize, seed);
      let taken = 0;
      const take = async (count: number): Promise<void> => {
        const fed = Array.from({ length: count }, (_, i) => ({
          ...batchAt(block, data, batches.next()),
          ...pull((taken + i) / plan.steps, errorBefore),
        }));
        await training.runMany(fed, signal ? { signal } : {});
        taken += count;
      };
      const started = performance.now();
      await take(1);
      const first = performance.now();
      await take(STEPS_PER_RUN);
      const now = performance.now();
      const perStepMs = Math.min(now - first, (now - started) * STEPS_PER_RUN) / STEPS_PER_RUN;
      const fitting = taken + Math.floor((options.deadlineMs - now) / perStepMs);
      plan.steps = Math.min(options.iterations, fitting);
      if (plan.steps < FEWEST_STEPS) return { variables: start, steps: 0, errorBefore, errorAfter: errorBefore };
      while (taken < plan.steps) await take(Math.min(STEPS_PER_RUN, plan.steps - taken));
      const variables = await training.variables();
      const errorAfter = await runner.error(variables, data.count - kept);
      const isBetter = errorAfter < errorBefore;
      return { variables: isBetter ? variables : start, steps: taken, errorBefore, errorAfter };
    } finally {
      await training.release();
    }
  } finally {
    await runner.release();
  }
}

/** Writes a step of learning a block. Beside the batch it is fed the pull towards decided roundings. */
export function reconstructionStep(
  block: TrainableBlock,
  data: BlockData,
  rates: LearningRates,
  plan: { readonly steps: number },
  power: number,
): TrainStep {
  return trainStep({
    inputs: { ...batchInputs(block, data), strength: { shape: [] }, beta: { shape: [] } },
    loss: (values, scope) => {
      const { ops } = scope;
      const inputs = blockInputs(values, ops);
      const { output, shares } = block.write(inputs, scope, "soft");
      const error = ops.div(ops.reduceMean(ops.square(ops.sub(output, inputs.target!)), { keepDims: false }), power);
      const open = shares.map((share) => undecided(ops, share, values.beta!)).reduce((a, b) => ops.add(a, b));
      const share = ops.div(open, block.weightCount);
      return { loss: ops.add(error, ops.mul(share, values.strength!)), error, undecided: share };
    },
    optimizer: adam({
      // Falls towards nothing, so that the last steps settle.
      learningRate: (step) => Math.sqrt(Math.max(0.01, 1 - step / plan.steps)),
      groups: [
        { match: (path) => path.endsWith(".rounding"), learningRateFactor: rates.rounding },
        { match: (path) => path.endsWith(".bias"), learningRateFactor: rates.bias, optional: true },
        { match: (path) => path.startsWith("grids."), learningRateFactor: rates.scale, optional: true },
      ],
    }),
  });
}

/** The pull after a part of all steps. */
function pull(part: number, error: number): Record<string, Tensor> {
  const ramp = Math.min(Math.max((part - WARM_UP) / (1 - WARM_UP), 0), 1);
  const beta = BETA.to + (BETA.from - BETA.to) * (1 - ramp);
  return { strength: float32([], [part < WARM_UP ? 0 : STRENGTH * error]), beta: float32([], [beta]) };
}

/** The mean square of the target, from one batch. */
export async function targetPower({ target, batchSize, count }: BlockData): Promise<number> {
  if (!target) throw new OptionError("refine: a block must have a target, got none.");
  const every = Math.max(1, Math.floor(count / batchSize));
  const some = toNumbers(target.take(Array.from({ length: batchSize }, (_, i) => (i * every) % count)));
  let sum = 0;
  for (let i = 0; i < some.length; i++) sum += some[i]! ** 2;
  return Math.max(sum / some.length, 1e-12);
}
