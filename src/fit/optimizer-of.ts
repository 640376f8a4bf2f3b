/** The optimizer of a recipe. */
import type { Optimizer, Schedule } from "../build/index.ts";
import * as optim from "../optim/index.ts";
import type { Recipe } from "./recipe.ts";

/** Returns the optimizer of a recipe, with its groups, limits of gradients, norms as metrics, and averages. */
export function optimizerOf(recipe: Recipe, learningRate: Schedule): Optimizer {
  const { clip, averaging, evaluation } = recipe;
  let optimizer = plainOptimizer(recipe.optimizer, learningRate);
  // The norm is that of what is left: elements are cut first, and the last wrapper sees the gradients first.
  if (clip?.norm !== undefined) optimizer = optim.clipByNorm(optimizer, clip.norm);
  if (clip?.value !== undefined) optimizer = optim.clipByValue(optimizer, clip.value);
  if (evaluation.norms) optimizer = optim.measured(optimizer);
  return averaging ? optim.averaged(optimizer, averaging) : optimizer;
}

function plainOptimizer(recipe: Recipe["optimizer"], learningRate: Schedule): Optimizer {
  const common = { learningRate, weightDecay: recipe.weightDecay, groups: recipe.groups.map(groupOf) };
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
