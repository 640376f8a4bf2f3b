/** Models by name. */
import { OptionError } from "../errors.ts";
import type { ModelDefinition } from "./model.ts";
import { models } from "./models.ts";

/**
 * Returns the model of that name.
 *
 * @throws OptionError naming the nearest known name, if there is none.
 * @example
 * const network = findModel("resnet20").build({ classes: 10 });
 */
export function findModel(name: string): ModelDefinition {
  if (Object.hasOwn(models, name)) return models[name]!;
  const names = Object.keys(models);
  const distances = names.map((known) => editDistance(name.toLowerCase(), known));
  const nearest = names[distances.indexOf(Math.min(...distances))];
  throw new OptionError(`models: name must be one of ${names.join(", ")}, got "${name}". Did you mean "${nearest}"?`);
}

/** How many characters must be added, taken away or replaced (Levenshtein's distance). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
