/**
 * Trains in a process of its own that somebody may kill: starts a run in a folder, or goes on with the one there. Tells its
 * parent what it is doing, and writes a checkpoint after every step.
 */
import { createRun, isRun, openRun } from "../../src/files/index.ts";
import { fit, gradientAndWeightNorms, planTraining } from "../../src/fit/index.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { madeData, madeDescription, madeRecipe, type PRECISIONS } from "./made-training.ts";

const [folder, epochs, precision] = process.argv.slice(2) as [string, string, keyof typeof PRECISIONS];
const tell = (what: string, step: number): void => void process.send?.({ what, step });

const recipe = madeRecipe(Number(epochs), precision);
const run = (await isRun(folder)) ? await openRun(folder) : await createRun(folder, madeDescription(recipe));
const found = await run.latestCheckpoint();
const step = found?.checkpoint.progress.step ?? 0;
if (found && found.remarks.length > 0) throw new Error(found.remarks.join(" "));
await run.rewindTo(step);
tell("opened", step);
// biome-ignore lint/suspicious/noFocusedTests: the rule takes it for the `fit` of another test framework.
const { reason } = await fit(planTraining(recipe, madeData()), {
  runtime: await nodeRuntime({ threads: 1 }),
  ...(found && { resume: found.checkpoint }),
  checkpointEverySeconds: 0,
  reportEverySteps: 4,
  probes: { norms: gradientAndWeightNorms({ steps: 7 }) },
  onEvent: async (event) => {
    await run.onEvent(event);
    tell(event.type, event.step);
  },
  saveCheckpoint: async (checkpoint, kind) => {
    tell("saving", checkpoint.progress.step);
    await run.saveCheckpoint(checkpoint, kind);
  },
});
await run.close();
tell(reason, -1);
process.disconnect?.();
