/** Sizes of samples that follow from the network. */
import { models } from "../models/index.ts";
import type { Recipe } from "./recipe.ts";

/** Kinds of data whose samples have the size that one asks for. */
const SIZED = ["folder"];
const WITH_LENGTH = ["text", "words"];

/**
 * Returns the recipe with the size of pictures in a folder, or the length of texts, that its network was published with, where
 * the recipe does not say it.
 */
export function withNetworkSizes(recipe: Recipe): Recipe {
  const definition = "name" in recipe.model ? models[recipe.model.name] : undefined;
  if (!definition) return recipe;
  const { data } = recipe;
  const source = data.set.split(":")[0]!;
  if (definition.task === "language") {
    if (data.length !== undefined || !WITH_LENGTH.includes(source)) return recipe;
    return { ...recipe, data: { ...data, length: definition.sampleShape[0] } };
  }
  if (data.size !== undefined || !SIZED.includes(source)) return recipe;
  return { ...recipe, data: { ...data, size: definition.sampleShape.at(-1) } };
}
