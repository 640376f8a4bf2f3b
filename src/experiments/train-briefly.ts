/** Trains a network for an experiment in one sitting, by what a recipe alone does not hold. */
import type { Optimizer } from "../build/index.ts";
import { RuntimeFailure } from "../errors.ts";
import { openTrainingData } from "../files/index.ts";
import {
  fit as carryOut,
  type Probe,
  parseRecipe,
  planTraining,
  type RecipeInput,
  type RunEvent,
  type TrainingPlan,
} from "../fit/index.ts";
import type { Lab } from "./experiment.ts";
import { measureOutcomes, type Outcomes } from "./measure-outcomes.ts";
import { packOutcomes } from "./right-or-wrong.ts";

/** What is done to a training besides its recipe. */
export interface BriefTraining {
  /** `data.set` is the name of one of the scale's data sets. */
  readonly recipe: RecipeInput;
  /** Test samples that the trained network is measured on, the same for every seed. */
  readonly testSamples: number;
  readonly changeOptimizer?: (optimizer: Optimizer) => Optimizer;
  readonly changePlan?: (plan: TrainingPlan) => TrainingPlan;
  readonly probes?: Readonly<Record<string, Probe>>;
}

/** What came of a training. */
export interface BriefResult extends Outcomes {
  /** Top-1 on the test part by epoch, in percent. */
  readonly curve: readonly { readonly epoch: number; readonly top1: number }[];
  readonly events: readonly RunEvent[];
  /** Why the training broke off before its end, if it did: numbers that are not finite. Then no sample counts as right. */
  readonly failure: string | null;
}

/**
 * Trains with the unit's seed and measures the trained network. Nothing is stored: for trainings of seconds, which are done again
 * after an interruption.
 *
 * @throws What `openTrainingData`, `planTraining` and `fit` throw, but for losses that are not finite; the signal's reason.
 */
export async function trainBriefly(lab: Lab, training: BriefTraining): Promise<BriefResult> {
  const { recipe, testSamples, changeOptimizer, changePlan = (same) => same, probes } = training;
  const dataSet = recipe.data.set;
  const { set } = lab.dataSet(dataSet);
  const resolved = parseRecipe({ ...recipe, data: { ...recipe.data, set }, seed: lab.seed }, "experiment");
  const data = await openTrainingData(set, { ...resolved.data, seed: lab.seed });
  const plan = changePlan(planTraining(resolved, data, { changeOptimizer }));
  const events: RunEvent[] = [];
  const onEvent = (event: RunEvent): void => {
    events.push(event);
    const last = event.type === "steps" ? `loss ${event.metrics.loss?.toFixed(3)}` : undefined;
    lab.progress(event.step / plan.totalSteps, last && `epoch ${event.epoch.toFixed(1)}, ${last}`);
  };
  const curve = (): BriefResult["curve"] =>
    events.flatMap((event) =>
      event.type === "evaluation" && event.split === "test" ? [{ epoch: event.epoch, top1: event.top1 }] : [],
    );
  try {
    const { variables } = await carryOut(plan, {
      runtime: lab.runtime,
      signal: lab.signal,
      onEvent,
      ...(probes && { probes }),
    });
    lab.signal.throwIfAborted();
    const samples = { dataSet, calibrationSamples: 0, testSamples };
    return {
      ...(await measureOutcomes(lab, plan.exportModel(variables), samples)),
      curve: curve(),
      events,
      failure: null,
    };
  } catch (error) {
    if (!(error instanceof RuntimeFailure) || !/must (be|stay) finite/.test(error.message)) throw error;
    const right = packOutcomes(new Uint8Array(Math.min(testSamples, data.test!.count)));
    return { top1: 0, right, curve: curve(), events, failure: error.message };
  }
}
