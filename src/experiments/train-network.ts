/** Trains a network for an experiment: once, in a run's folder that it goes on from after any interruption. */
import { join } from "node:path";
import {
  createRun,
  describeRun,
  isRun,
  openRun,
  openTrainingData,
  type RunFolder,
  readRun,
  writeModelFile,
} from "../files/index.ts";
import {
  type FitResult,
  fit,
  parseRecipe,
  planTraining,
  type RecipeInput,
  type RunEvent,
  type TrainingPlan,
} from "../fit/index.ts";
import type { Lab } from "./experiment.ts";

/** A network that was trained. */
export interface TrainedNetwork {
  /** Path of the network as an ONNX model; its pictures are normalized as the data say. */
  readonly modelPath: string;
  /** What the network was measured at in training, on the test part, the last time with its final weights. */
  readonly curve: readonly CurvePoint[];
  readonly parameterCount: number;
  /** Seconds of training, evaluations and interrupted sittings too. */
  readonly seconds: number;
}

/** One evaluation. */
export interface CurvePoint {
  readonly epoch: number;
  readonly loss: number;
  /** Percent. */
  readonly top1: number;
  /** Samples it was measured on. */
  readonly count: number;
}

/**
 * Trains a network by a recipe with the unit's seed and writes it as `NAME.onnx` into the unit's folder, beside the run's
 * folder NAME. `recipe.data.set` is the name of one of the scale's data sets.
 *
 * @throws What `openTrainingData`, `planTraining` and `fit` throw; the signal's reason when stopped, with a checkpoint saved.
 */
export async function trainNetwork(lab: Lab, name: string, recipe: RecipeInput): Promise<TrainedNetwork> {
  const { set } = lab.dataSet(recipe.data.set);
  const resolved = parseRecipe({ ...recipe, data: { ...recipe.data, set }, seed: lab.seed }, name);
  const data = await openTrainingData(set, { ...resolved.data, seed: lab.seed });
  const plan = planTraining(resolved, data);
  const path = join(lab.folder, name);
  const run = (await isRun(path))
    ? await openRun(path)
    : await createRun(path, await describeRun(resolved, data, lab.runtime));
  const modelPath = join(lab.folder, `${name}.onnx`);
  let seconds: number;
  try {
    const result = await train(lab, plan, run);
    seconds = result.seconds;
    await writeModelFile(modelPath, plan.exportModel(result.variables));
  } finally {
    await run.close();
  }
  return { modelPath, seconds, ...summarize(await (await readRun(path)).events()) };
}

async function train(lab: Lab, plan: TrainingPlan, run: RunFolder): Promise<FitResult> {
  const found = await run.latestCheckpoint();
  await run.rewindTo(found?.checkpoint.progress.step ?? 0);
  lab.spentBefore(found?.checkpoint.progress.seconds ?? 0);
  let last = "";
  // biome-ignore lint/suspicious/noFocusedTests: the training loop, not a test
  const result = await fit(plan, {
    runtime: lab.runtime,
    signal: lab.signal,
    ...(found && { resume: found.checkpoint }),
    saveCheckpoint: run.saveCheckpoint,
    onEvent: async (event) => {
      await run.onEvent(event);
      last = describeEvent(event, plan) ?? last;
      lab.progress(event.step / plan.totalSteps, last);
    },
  });
  lab.signal.throwIfAborted();
  return result;
}

function describeEvent(event: RunEvent, { totalSteps, stepsPerEpoch }: TrainingPlan): string | undefined {
  const epochs = (totalSteps / stepsPerEpoch).toFixed(1).replace(/\.0$/, "");
  const at = `epoch ${event.epoch.toFixed(1)}/${epochs}`;
  if (event.type === "steps") return `${at}, loss ${event.metrics.loss?.toFixed(3)}`;
  if (event.type === "evaluation") return `${at}, ${event.split} top-1 ${event.top1.toFixed(1)} %`;
  return undefined;
}

/** What the run's records say of it as a whole. */
function summarize(events: readonly RunEvent[]): Pick<TrainedNetwork, "curve" | "parameterCount"> {
  const start = events.find((event) => event.type === "start")!;
  const curve = events.flatMap((event) =>
    event.type === "evaluation" && event.split === "test" && event.weights === "last"
      ? [{ epoch: event.epoch, loss: event.loss, top1: event.top1, count: event.count }]
      : [],
  );
  return { curve, parameterCount: start.type === "start" ? start.parameterCount : 0 };
}
