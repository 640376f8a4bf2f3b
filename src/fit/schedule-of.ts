/** The learning rate of a recipe, step by step. */
import type { Schedule } from "../build/index.ts";
import * as optim from "../optim/index.ts";
import type { Recipe } from "./recipe.ts";
import type { RunLength } from "./scale-batch.ts";

/** Returns the schedule of a recipe: lengths in epochs become steps, and the rise comes first. */
export function scheduleOf(recipe: Recipe, { stepsPerEpoch, totalSteps }: RunLength): Schedule {
  const warmupSteps = Math.min(Math.round(recipe.warmup * stepsPerEpoch), totalSteps - 1);
  const main = mainSchedule(recipe, { stepsPerEpoch, totalSteps: totalSteps - warmupSteps }, warmupSteps);
  // Not from 0: the first step would change nothing.
  return warmupSteps === 0 ? main : optim.warmup(warmupSteps, main, { startFactor: 1 / (warmupSteps + 1) });
}

function mainSchedule(
  { schedule, learningRate }: Recipe,
  { stepsPerEpoch, totalSteps: steps }: RunLength,
  warmupSteps: number,
): Schedule {
  const stepsIn = (epochs: number): number => Math.max(1, Math.round(epochs * stepsPerEpoch));
  switch (schedule.kind) {
    case "constant":
    // It falls inside the step: see optimizerOf.
    case "distance":
    // It falls when evaluations are known: see fit.
    case "plateau":
      return optim.constant(learningRate);
    case "step":
      return optim.stepDecay({ learningRate, every: stepsIn(schedule.every), factor: schedule.factor });
    case "multi-step": {
      const milestones = schedule.milestones.map((epoch) => stepsIn(epoch) - warmupSteps);
      return optim.multiStepDecay({ learningRate, milestones, factor: schedule.factor });
    }
    case "cosine":
      return optim.cosine({ learningRate, steps, minimum: schedule.minimum });
    case "one-cycle":
      return optim.oneCycle({ maximum: learningRate, steps, riseFraction: schedule.riseFraction });
    case "polynomial":
      return optim.polynomial({ learningRate, steps, power: schedule.power });
  }
}
