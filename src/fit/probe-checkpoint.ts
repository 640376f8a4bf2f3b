/** A probe of a network that is not being trained now: what it measures at a checkpoint. */
import type { Runtime } from "../runtime/index.ts";
import { batchesFrom } from "./batches-from.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Probe } from "./probe.ts";
import { ProbeRuns } from "./probe-runs.ts";
import type { TrainingPlan } from "./training-plan.ts";

/** What is measured, and where. */
export interface ProbeCheckpointOptions {
  readonly plan: TrainingPlan;
  /** Variables that it lacks have their first values. */
  readonly checkpoint: Checkpoint;
  readonly probe: Probe;
  readonly runtime: Runtime;
}

/**
 * Returns what a probe measures at a checkpoint, as it would have been measured in the run after that step: on the batch of the step.
 *
 * @throws DataError if the data end before that batch; whatever the probe throws.
 */
export async function probeCheckpoint({
  plan,
  checkpoint: { progress, variables },
  probe,
  runtime,
}: ProbeCheckpointOptions): Promise<Readonly<Record<string, number>>> {
  const { step } = progress;
  const batches = batchesFrom(plan, Math.max(0, step - 1));
  const probes = new ProbeRuns(plan, { runtime, probes: { probe } });
  try {
    const { value: batch } = await batches.next();
    const place = { step, epoch: step / plan.stepsPerEpoch, batch, isLast: true };
    const { value: measured } = await probes.measure(place, async () => variables).next();
    return measured.values;
  } finally {
    await batches.return(undefined);
    await probes.release();
  }
}
