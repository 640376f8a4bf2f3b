/** Recipes by name. */
import { nearestName } from "../data/index.ts";
import { OptionError } from "../errors.ts";
import type { RecipeInput } from "./recipe.ts";
import { recipes } from "./recipes.ts";

/**
 * Returns the recipe of that name.
 *
 * @throws OptionError naming the nearest known name, if there is none.
 */
export function findRecipe(name: string): RecipeInput {
  const known: Readonly<Record<string, RecipeInput>> = recipes;
  if (Object.hasOwn(known, name)) return known[name]!;
  const nearest = nearestName(name, Object.keys(known));
  const remedy = nearest === undefined ? "" : ` Did you mean "${nearest}"?`;
  throw new OptionError(`recipe: name must be one of ${Object.keys(known).join(", ")}, got "${name}".${remedy}`);
}
