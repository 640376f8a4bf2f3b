/** Models by name. */
import { nearestName } from "../data/index.ts";
import { OptionError } from "../errors.ts";
import type { ModelDefinition } from "./model.ts";
import { models } from "./models.ts";

/**
 * Returns the model of that name.
 *
 * @throws OptionError naming a known name that is near, if there is none.
 * @example
 * const network = findModel("resnet20").build({ classes: 10 });
 */
export function findModel(name: string): ModelDefinition {
  if (Object.hasOwn(models, name)) return models[name]!;
  const names = Object.keys(models);
  const nearest = nearestName(name, names);
  const hint = nearest === undefined ? "" : ` Did you mean "${nearest}"?`;
  throw new OptionError(`models: name must be one of ${names.join(", ")}, got "${name}".${hint}`);
}
