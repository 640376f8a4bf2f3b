/** Small plans for tests: a network of a few numbers on made data, in memory. */
import type { Layer, Optimizer } from "../build/index.ts";
import { datasetFromArrays, evaluationBatches, trainingBatches } from "../data/index.ts";
import { accuracy, batchNorm, crossEntropy, dropout, linear, relu, sequential } from "../nn/index.ts";
import { sgd } from "../optim/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { float32, seededRandom, type Tensor } from "../tensor/index.ts";
import { evaluation, exportOnnx, trainStep } from "../train/index.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { classificationMetrics } from "./classification-metrics.ts";
import { type FitOptions, type FitResult, fit } from "./fit.ts";
import type { RunEvent } from "./run-event.ts";
import type { TrainingPlan } from "./training-plan.ts";

/** A network with everything that a resumed run must get right: statistics, random numbers, weights. */
export const smallNetwork = sequential({
  hidden: linear(6),
  norm: batchNorm(),
  act: relu(),
  drop: dropout(0.2),
  head: linear(3),
});

/** What a small plan may differ in. */
export interface SmallPlanOptions extends Partial<Omit<TrainingPlan, "step" | "evaluation" | "batches">> {
  readonly network?: Layer;
  readonly optimizer?: Optimizer;
  /** Samples that are measured. Default 7: a batch of 5, and one with 3 samples of padding. */
  readonly measured?: number;
}

/** 20 samples in three classes: two coordinates around a centre each. Five steps of 4 samples make a pass. */
export function smallPlan(options: SmallPlanOptions = {}): TrainingPlan {
  const { network = smallNetwork, measured = 7, ...rest } = options;
  const { optimizer = sgd({ learningRate: (step) => 0.2 / (1 + step), momentum: 0.9 }), ...plan } = rest;
  const train = samples(20, 1);
  const test = samples(measured, 2);
  return {
    step: trainStep({
      inputs: { x: { shape: [4, 2] }, label: { shape: [4], dtype: "int64" } },
      loss: ({ x, label }, scope) => {
        const logits = network(x!, scope);
        return { loss: crossEntropy(logits, label!, scope), top1: accuracy(logits, label!, scope) };
      },
      optimizer,
    }),
    evaluation: evaluation({
      inputs: { x: { shape: [5, 2] }, label: { shape: [5], dtype: "int64" }, weight: { shape: [5] } },
      outputs: ({ x, label, weight }, scope) => classificationMetrics(network(x!, scope), label!, weight!, scope),
    }),
    batches: (epoch, firstBatch) => trainingBatches(train, { batchSize: 4, epoch, seed: 3, firstBatch }),
    stepsPerEpoch: 5,
    totalSteps: 12,
    batchSize: 4,
    evaluationEverySteps: 5,
    parts: [{ split: "test", batches: () => evaluationBatches(test, { batchSize: 5 }) }],
    averaging: undefined,
    earlyStopping: undefined,
    plateau: undefined,
    seed: 4,
    initialVariables: {},
    exportModel: (variables) =>
      exportOnnx({
        inputs: { x: { shape: ["batch", 2] } },
        outputs: ({ x }, scope) => ({ logits: network(x!, scope) }),
        variables,
      }),
    ...plan,
  };
}

function samples(count: number, seed: number) {
  const random = seededRandom(seed);
  const labels = Int32Array.from({ length: count }, (_, i) => i % 3);
  const numbers = Float32Array.from({ length: 2 * count }, (_, i) => {
    const angle = (2 * Math.PI * (labels[i >> 1]! + 0.25 * i)) / 3;
    return (i % 2 ? Math.sin(angle) : Math.cos(angle)) + 2 * random.uniform() - 1;
  });
  return datasetFromArrays(new Map([["x", float32([count, 2], numbers)]]), { description: "made", labels });
}

/** What a run left behind. */
export interface RecordedRun {
  readonly result: FitResult;
  /** Without what clocks say. */
  readonly events: readonly Readonly<Record<string, unknown>>[];
  /** As a file gives them back: progress through JSON, with its kind and the number of events before it. */
  readonly checkpoints: readonly (Checkpoint & { readonly kind: string; readonly eventsBefore: number })[];
}

/** Runs a plan, and records what happens. */
export async function recordFit(
  plan: TrainingPlan,
  runtime: Runtime,
  options: Partial<FitOptions> = {},
): Promise<RecordedRun> {
  const events: Readonly<Record<string, unknown>>[] = [];
  const checkpoints: RecordedRun["checkpoints"][number][] = [];
  // biome-ignore lint/suspicious/noFocusedTests: the rule takes it for the `fit` of another test framework.
  const result = await fit(plan, {
    runtime,
    ...options,
    onEvent: async (event) => {
      events.push(withoutClocks(event));
      await options.onEvent?.(event);
    },
    saveCheckpoint: async ({ progress, variables }, kind) => {
      const copy: Record<string, Tensor> = { ...variables };
      checkpoints.push({
        progress: JSON.parse(JSON.stringify(progress)),
        variables: copy,
        kind,
        eventsBefore: events.length,
      });
      await options.saveCheckpoint?.({ progress, variables }, kind);
    },
  });
  return { result, events, checkpoints };
}

/** Events that say what was computed: neither clocks, nor how a run was cut into pieces. */
export function computedEvents(events: RecordedRun["events"]): RecordedRun["events"] {
  return events.filter(({ type }) => type === "steps" || type === "evaluation" || type === "probe");
}

function withoutClocks(event: RunEvent): Readonly<Record<string, unknown>> {
  const {
    seconds: _,
    time: __,
    samplesPerSecond: ___,
    compileMs: ____,
    ...rest
  } = event as RunEvent & Readonly<Record<string, unknown>>;
  return rest;
}
