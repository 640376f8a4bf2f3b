/** Which keys a recipe may have, read from its schema: for messages and for docs/recipes.md. */
import * as z from "zod";
import { recipeSchema } from "./recipe.ts";

/** The part of JSON Schema that recipes use. */
export interface KeySchema {
  readonly type?: string;
  readonly description?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, KeySchema>>;
  readonly required?: readonly string[];
  readonly items?: KeySchema;
  readonly anyOf?: readonly KeySchema[];
  readonly oneOf?: readonly KeySchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
}

let schema: KeySchema | undefined;

/** Returns the schema of recipes as JSON Schema. */
export function recipeJsonSchema(): KeySchema {
  schema ??= z.toJSONSchema(recipeSchema, { io: "input" }) as KeySchema;
  return schema;
}

/**
 * Returns the keys that the object at `path` of a recipe may have; none if nothing is known there.
 *
 * @param recipe What was written, valid or not: `kind` and the like decide which keys are known.
 */
export function knownKeys(recipe: unknown, path: readonly PropertyKey[]): readonly string[] {
  let place: KeySchema | undefined = variant(recipeJsonSchema(), recipe);
  let value = recipe;
  for (const key of path) {
    value = isObject(value) ? value[key as keyof typeof value] : undefined;
    const next: KeySchema | undefined = typeof key === "number" ? place?.items : place?.properties?.[String(key)];
    place = next && variant(next, value);
  }
  return Object.keys(place?.properties ?? {});
}

/** Of several forms the one that the value has: that of its kind, or the one that knows most of its keys. */
function variant(place: KeySchema, value: unknown): KeySchema {
  const forms = place.anyOf ?? place.oneOf;
  if (!forms) return place;
  const keys = isObject(value) ? Object.keys(value) : [];
  const kind = isObject(value) ? (value as { kind?: unknown }).kind : undefined;
  const score = ({ properties = {} }: KeySchema): number =>
    (properties.kind?.const === kind ? 1000 : 0) + keys.filter((key) => properties[key]).length;
  return forms.reduce((best, form) => (score(form) > score(best) ? form : best));
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
