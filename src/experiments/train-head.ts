/** Trains a network with one head for the experiment on fixed classifiers. */
import type { Layer } from "../build/index.ts";
import type { TrainingData } from "../data/index.ts";
import { type EvaluationResult, fit, headScale, parseRecipe, planTraining, type RecipeInput } from "../fit/index.ts";
import type { ModelFile } from "../onnx/index.ts";
import type { Lab } from "./experiment.ts";

/** A training. */
export interface HeadTraining {
  /** Its data are given by themselves; the name of the set is not read. */
  readonly recipe: RecipeInput;
  readonly data: TrainingData;
  /** A head that recipes do not have. Default: the recipe's. */
  readonly head?: (classes: number) => Layer;
}

/** The scale of a head after some steps. */
export interface ScaleRecord {
  readonly step: number;
  readonly scale: number;
}

/** What came of it. */
export interface TrainedHead {
  readonly test: EvaluationResult;
  /** On samples that it was trained on, if the recipe measures some. */
  readonly train: EvaluationResult | undefined;
  /** Of the first class; undefined without biases. */
  readonly bias0: number | undefined;
  /** Empty where no scale is learned. */
  readonly scales: readonly ScaleRecord[];
  readonly model: ModelFile;
}

/** How often the scale is looked at in a run. */
const RECORDS = 60;

/** Trains with the unit's seed. Nothing is stored: an interrupted training is done again. */
export async function trainHead(lab: Lab, { recipe: written, data, head }: HeadTraining): Promise<TrainedHead> {
  const recipe = parseRecipe({ ...written, seed: lab.seed }, "experiment");
  const plan = planTraining(recipe, data, { head });
  const scales: ScaleRecord[] = [];
  const found: { test?: EvaluationResult; train?: EvaluationResult; bias0?: number } = {};
  // biome-ignore lint/suspicious/noFocusedTests: the training loop, not a test
  const { variables } = await fit(plan, {
    runtime: lab.runtime,
    signal: lab.signal,
    probes: { head: headScale({ steps: Math.max(1, Math.floor(plan.totalSteps / RECORDS)) }) },
    onEvent: (event) => {
      lab.progress(event.step / plan.totalSteps);
      if (event.type === "evaluation" && event.split !== "validation") found[event.split] = event;
      if (event.type !== "probe") return;
      const { scale, bias0 } = event.values;
      if (scale !== undefined) scales.push({ step: event.step, scale });
      if (bias0 !== undefined) found.bias0 = bias0;
    },
  });
  lab.signal.throwIfAborted();
  return {
    test: found.test!,
    train: found.train,
    bias0: found.bias0,
    scales,
    model: plan.exportModel(variables),
  };
}
