/** The training batches of a run, pass after pass. */
import { DataError } from "../errors.ts";
import type { Batch, TrainingPlan } from "./training-plan.ts";

/**
 * Yields the batch of each step from number `first` to the plan's last.
 *
 * @throws DataError if a pass over the data has fewer batches than the plan says.
 */
export async function* batchesFrom(plan: TrainingPlan, first: number): AsyncGenerator<Batch> {
  const { stepsPerEpoch, totalSteps } = plan;
  let step = first;
  while (step < totalSteps) {
    const epoch = Math.floor(step / stepsPerEpoch);
    const end = Math.min((epoch + 1) * stepsPerEpoch, totalSteps);
    for await (const batch of plan.batches(epoch, step % stepsPerEpoch)) {
      step++;
      yield batch;
      if (step === end) break;
    }
    if (step < end) {
      const came = step - epoch * stepsPerEpoch;
      throw new DataError(
        `fit: each pass over the training data must have ${stepsPerEpoch} batches, got ${came} in pass ${epoch}.`,
      );
    }
  }
}
