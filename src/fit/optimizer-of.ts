/** The optimizer of a recipe. */
import type { Optimizer, Schedule } from "../build/index.ts";
import * as optim from "../optim/index.ts";
import type { Recipe } from "./recipe.ts";
import type { RunLength } from "./scale-batch.ts";
import { scheduleOf } from "./schedule-of.ts";

/**
 * Returns the optimizer of a recipe, with its schedule, groups, limits of gradients, norms as metrics, and averages.
 *
 * @param change What is changed about the plain optimizer, below all of these.
 */
export function optimizerOf(
  recipe: Recipe,
  length: RunLength,
  change: (optimizer: Optimizer) => Optimizer = (same) => same,
): Optimizer {
  const { clip, averaging, evaluation, schedule } = recipe;
  let optimizer = change(plainOptimizer(recipe.optimizer, scheduleOf(recipe, length)));
  const { projection } = recipe.optimizer;
  if (projection) {
    const pattern = new RegExp(projection.match);
    optimizer = optim.projected(optimizer, { match: (path) => pattern.test(path), norm: projection.norm });
  }
  if (recipe.optimizer.kind === "sgd" && recipe.optimizer.resetMomentumEachEpoch) {
    optimizer = optim.resetMomentum(optimizer, { everySteps: length.stepsPerEpoch });
  }
  if (schedule.kind === "distance") optimizer = optim.fallByDistance(optimizer, schedule);
  // The norm is that of what is left: elements are cut first, and the last wrapper sees the gradients first.
  if (clip?.norm !== undefined) optimizer = optim.clipByNorm(optimizer, clip.norm);
  if (clip?.value !== undefined) optimizer = optim.clipByValue(optimizer, clip.value);
  if (evaluation.norms) optimizer = optim.measured(optimizer);
  return averaging ? optim.averaged(optimizer, averaging) : optimizer;
}

/** Scale and bias of fixed heads and of cosine heads do not decay: one is a temperature, the other as few numbers as classes. */
const HEADS: optim.ParameterGroup = {
  match: (path) => /(^|\.)logits\.(scale|bias)$/.test(path),
  weightDecay: 0,
  optional: true,
};

function plainOptimizer(recipe: Recipe["optimizer"], learningRate: Schedule): Optimizer {
  const common = { learningRate, weightDecay: recipe.weightDecay, groups: [...recipe.groups.map(groupOf), HEADS] };
  switch (recipe.kind) {
    case "sgd": {
      const { momentum, nesterov, decoupled } = recipe;
      return optim.sgd({ ...common, momentum, nesterov, decoupled });
    }
    case "adam":
    case "adamw": {
      const { kind, beta1, beta2, epsilon } = recipe;
      const make = kind === "adam" ? optim.adam : optim.adamW;
      return make({ ...common, betas: [beta1, beta2], epsilon });
    }
    case "rmsprop": {
      const { decay, epsilon, momentum } = recipe;
      return optim.rmsprop({ ...common, decay, epsilon, momentum });
    }
    case "adagrad":
      return optim.adagrad({ ...common, epsilon: recipe.epsilon });
  }
}

function groupOf({
  match,
  learningRateFactor,
  weightDecay,
  frozen,
}: Recipe["optimizer"]["groups"][number]): optim.ParameterGroup {
  const pattern = new RegExp(match);
  return {
    match: (path) => pattern.test(path),
    ...(learningRateFactor !== undefined && { learningRateFactor }),
    ...(weightDecay !== undefined && { weightDecay }),
    ...(frozen !== undefined && { frozen }),
  };
}
