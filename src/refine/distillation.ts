/** Distillation: the whole quantized network learns to give what the float network gives, on samples without labels. */
import { adam } from "../optim/index.ts";
import type { Draft, RefinedPart, Refinement, RefinementContext } from "../quantize/index.ts";
import { type Tensor, toNumbers } from "../tensor/index.ts";
import { compile, compileEvaluation, evaluation, type TrainStep, trainStep } from "../train/index.ts";
import { type BlockData, batchAt, batchInputs, blockInputs } from "./block-data.ts";
import { readSamples } from "./block-samples.ts";
import { type Block, findBlocks } from "./blocks.ts";
import { type OutputKind, outputDistance, outputKind } from "./output-distance.ts";
import { targetPower } from "./reconstruct-block.ts";
import { BlockRunner } from "./run-block.ts";
import { SampleBatches, samplesKeptBack } from "./sample-batches.ts";
import { TrainableBlock } from "./trainable-block.ts";

/** Options of `distillation`. */
export interface DistillationOptions {
  /** Steps at most; a deadline may leave fewer. Default 200. */
  readonly iterations?: number;
  /** Samples in a step. Default 16; what the program fixes, where it does. */
  readonly batchSize?: number;
  /** Parts into which a batch is divided, to need less memory. Default 1. */
  readonly chunks?: number;
  /** Samples at most. Default 256. */
  readonly samples?: number;
  /** Step sizes of Adam. Default: small ones, of which no others were tried on large networks. */
  readonly rates?: Partial<DistillationRates>;
}

/** Step sizes of Adam. */
export interface DistillationRates {
  /** Of weights, in units of their scale. */
  readonly weight: number;
  /** Of biases, in units of the norm of their channel's weights. */
  readonly bias: number;
  /** Of the logarithm of activation scales. */
  readonly scale: number;
}

const DEFAULT_RATES: DistillationRates = { weight: 5e-3, bias: 2e-4, scale: 5e-4 };

/** The network is looked at after so many parts of all steps, and the best is kept. */
const LOOKS = 8;
/** Fewer steps than this between two looks are not worth it. */
const FEWEST_STEPS = 5;

/**
 * Trains all weights, biases and activation scales at once, towards the float network's outputs: the Kullback-Leibler
 * divergence of classes, or the squared error of other outputs. Weights and activations are rounded in every step, and
 * gradients pass straight through. What is kept is the state that was best on samples kept back, the start included.
 *
 * Arithmetic is in float32: the network is rounded to its own grids, of which the 8-bit engine knows none.
 *
 * @see Hinton, Vinyals, Dean 2015, "Distilling the Knowledge in a Neural Network", arXiv:1503.02531; Esser et al. 2020,
 *   arXiv:1902.08153
 * @example
 * await quantize(bytes, { runtime, weights: 4, calibration, refinements: [learnedRounding(), distillation()] });
 */
export function distillation(options: DistillationOptions = {}): Refinement {
  return {
    name: "distillation",
    summary: "trains the whole quantized network to give what the float network gives, without labels",
    refine: (draft, context) => refine(draft, context, options),
  };
}

async function* refine(
  draft: Draft,
  context: RefinementContext,
  { iterations = 200, batchSize = 16, chunks = 1, samples = 256, rates }: DistillationOptions,
): AsyncGenerator<RefinedPart> {
  const { runtime, signal, seed } = context;
  const parts = { total: LOOKS, unit: "part" };
  const whole = wholeProgram(draft);
  if (whole.reason || whole.layers.length === 0) {
    yield { ...parts, draft, done: LOOKS, notes: [`left as it was, ${whole.reason ?? "no layer is quantized"}`] };
    return;
  }
  const { inputs, count, fixedBatch } = await readSamples(draft.program, context.data, samples);
  const block = new TrainableBlock(draft, whole, { blocks: [whole], frozen: new Set() });
  const given: BlockData = {
    ...{ feeds: inputs, float: undefined, input: undefined, count },
    batchSize: fixedBatch ?? Math.min(batchSize, count),
  };
  const teacher = await BlockRunner.create(block, given, "float", runtime);
  const target = await teacher.outputs({}, signal).finally(() => teacher.release());
  const data = { ...given, target };
  const kept = samplesKeptBack(data);
  const looked = { iterations: Math.max(iterations, FEWEST_STEPS * LOOKS), taken: 0 };
  const kind = outputKind(whole.output, whole.layers);
  const learned = { ...DEFAULT_RATES, ...rates };
  const power = await targetPower(data);
  const judge = await createJudge(block, data, { kind, power, runtime, kept });
  const step = distillationStep(block, data, { kind, power, chunks, rates: learned, looked });
  const training = await compile(step, { runtime, seed });
  try {
    const before = await judge.distance(startOf(step));
    let best = { distance: before, draft };
    const batches = new SampleBatches(count === kept ? count : count - kept, given.batchSize, seed);
    const started = performance.now();
    for (let look = context.skip; look < LOOKS; look++) {
      const until = Math.round(((look + 1 - context.skip) * looked.iterations) / (LOOKS - context.skip));
      while (looked.taken < until) {
        const perStepMs = (performance.now() - started) / Math.max(1, looked.taken);
        if (performance.now() + perStepMs > context.deadlineMs) break;
        await training.run(batchAt(block, data, batches.next()), signal ? { signal } : {});
        looked.taken++;
        // The first steps say how many there is time for: rates fall to nothing by the last of them.
        const fitting = Math.floor((context.deadlineMs - started) / ((performance.now() - started) / looked.taken));
        if (looked.taken === 3) looked.iterations = Math.min(looked.iterations, Math.max(fitting, LOOKS));
      }
      const variables = await training.variables();
      const distance = await judge.distance(variables);
      if (distance < best.distance) best = { distance, draft: block.draftOf(draft, variables) };
      const isLast = look === LOOKS - 1 || performance.now() >= context.deadlineMs;
      const notes = isLast ? [described(kind, before, best.distance, looked.taken)] : [];
      yield { ...parts, draft: best.draft, done: isLast ? LOOKS : look + 1, notes };
      if (isLast) break;
    }
  } finally {
    await judge.release();
    await training.release();
  }
}

/** All blocks as one. */
function wholeProgram(draft: Draft): Block {
  const blocks = findBlocks(draft.program, [...draft.weights.keys()]);
  return {
    input: undefined,
    output: blocks.at(-1)?.output ?? draft.program.graph.outputs[0]!,
    nodes: blocks.flatMap(({ nodes }) => nodes),
    layers: blocks.flatMap(({ layers }) => layers),
    reason: blocks.find(({ reason }) => reason)?.reason,
  };
}

interface StepOptions {
  readonly kind: OutputKind;
  readonly power: number;
  readonly chunks: number;
  readonly rates: DistillationRates;
  readonly looked: { readonly iterations: number };
}

function distillationStep(block: TrainableBlock, data: BlockData, options: StepOptions): TrainStep {
  const { kind, power, chunks, rates, looked } = options;
  return trainStep({
    inputs: batchInputs(block, data),
    chunks,
    loss: (values, scope) => {
      const inputs = blockInputs(values, scope.ops);
      const { output } = block.write(inputs, scope, "straight");
      return outputDistance(kind, { student: output, teacher: inputs.target!, power }, scope);
    },
    optimizer: adam({
      learningRate: (step) => Math.max(0.01, (1 + Math.cos(Math.PI * Math.min(1, step / looked.iterations))) / 2),
      groups: [
        { match: (path) => path.endsWith(".codes"), learningRateFactor: rates.weight },
        { match: (path) => path.endsWith(".bias"), learningRateFactor: rates.bias, optional: true },
        { match: (path) => path.startsWith("grids."), learningRateFactor: rates.scale, optional: true },
      ],
    }),
  });
}

/** The tensors that a step's parameters start from. */
function startOf(step: TrainStep): Record<string, Tensor> {
  return Object.fromEntries(
    step.variables.flatMap(({ role, path, initial }) => (role === "parameter" ? [[path, initial as Tensor]] : [])),
  );
}

function described(kind: OutputKind, before: number, after: number, steps: number): string {
  const what = kind === "numbers" ? "squared error over power" : "divergence";
  if (steps === 0) return "left as it was, no time left";
  if (after >= before) return `${what} ${before.toPrecision(3)}, after ${steps} steps no better, left as it was`;
  return `${what} ${before.toPrecision(3)}, after ${steps} steps ${after.toPrecision(3)}`;
}

/** Measures how far a network is from the float network. */
interface Judge {
  /** The mean over the samples kept back. */
  distance(variables: Readonly<Record<string, Tensor>>): Promise<number>;
  release(): Promise<void>;
}

async function createJudge(
  block: TrainableBlock,
  data: BlockData,
  options: Pick<StepOptions, "kind" | "power"> & Pick<RefinementContext, "runtime"> & { readonly kept: number },
): Promise<Judge> {
  const { kind, power, runtime, kept } = options;
  const measured = evaluation({
    inputs: batchInputs(block, data),
    outputs: (values, scope) => {
      const inputs = blockInputs(values, scope.ops);
      const { output } = block.write(inputs, scope, "straight");
      return { distance: outputDistance(kind, { student: output, teacher: inputs.target!, power }, scope) };
    },
  });
  const compiled = await compileEvaluation(measured, { runtime });
  const { count, batchSize } = data;
  const firsts = Array.from({ length: Math.ceil(kept / batchSize) }, (_, i) => count - kept + i * batchSize);
  return {
    async distance(variables) {
      let sum = 0;
      for (const first of firsts) {
        const indices = Array.from({ length: batchSize }, (_, i) => Math.min(first + i, count - 1));
        const { distance } = await compiled.run(batchAt(block, data, indices), variables);
        sum += toNumbers(distance!)[0]!;
      }
      return sum / firsts.length;
    },
    release: () => compiled.release(),
  };
}
