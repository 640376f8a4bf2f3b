/** The data of a recipe. */
import type { TrainingData } from "../data/index.ts";
import type { Recipe } from "../fit/index.ts";
import { openTrainingData } from "./open-training-data.ts";

/**
 * Opens the data that a recipe trains on, as `openTrainingData` does.
 *
 * @throws What `openTrainingData` throws.
 * @example
 * const plan = planTraining(recipe, await openRecipeData(recipe));
 */
export function openRecipeData({ data, seed }: Recipe): Promise<TrainingData> {
  const { set, validation, limit, testLimit, labelNoise, length, size, skipUnreadable } = data;
  return openTrainingData(set, { validation, limit, testLimit, labelNoise, length, size, skipUnreadable, seed });
}
