/** Reading recipes: what is wrong with one, said in its own words. */
import type { z } from "zod";
import { nearestName } from "../data/index.ts";
import { OptionError } from "../errors.ts";
import { type Recipe, recipeSchema } from "./recipe.ts";
import { knownKeys } from "./recipe-keys.ts";

/**
 * Checks a recipe given as plain data, and fills in the defaults.
 *
 * @param json Such as a file's content, or one of `recipes` with changes.
 * @param where What it was read from, for messages.
 * @throws OptionError naming every key at fault: what must hold and what came; for unknown keys the nearest known one.
 * @example
 * const recipe = parseRecipe({ ...recipes.resnet20, data: { set: "cifar10:data/cifar10" } }, "my recipe");
 */
export function parseRecipe(json: unknown, where: string): Recipe {
  const result = recipeSchema.safeParse(json);
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) => problemsOf(issue, json, []));
  if (problems.length === 1) throw new OptionError(`${where}: ${problems[0]}`);
  throw new OptionError(
    `${where}: ${problems.length} keys must be corrected:\n${problems.map((one) => `  ${one}`).join("\n")}`,
  );
}

type Issue = z.core.$ZodIssue;

function problemsOf(issue: Issue, json: unknown, above: readonly PropertyKey[]): string[] {
  const path = [...above, ...issue.path];
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(json, path, key));
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    const nearest = issue.errors.reduce((best, one) => (weight(one) < weight(best) ? one : best));
    return nearest.flatMap((inner) => problemsOf(inner, json, path));
  }
  const name = path.length === 0 ? "recipe" : path.map(String).join(".");
  if (issue.code === "custom") return [`${name}: ${issue.message}.`];
  return [`${name}: must be ${expectation(issue)}, got ${shown(valueAt(json, path))}.`];
}

/** How far a form of an object is from what came: keys that it does not know, or misses. */
function weight(issues: readonly Issue[]): number {
  return issues.reduce((sum, issue) => sum + (issue.code === "unrecognized_keys" ? issue.keys.length : 1), 0);
}

function unknownKey(json: unknown, path: readonly PropertyKey[], key: string): string {
  const known = knownKeys(json, path);
  const nearest = nearestName(key, known);
  const remedy = nearest === undefined ? `Known keys: ${known.join(", ")}.` : `Did you mean "${nearest}"?`;
  return `${[...path, key].map(String).join(".")}: is no key of a recipe. ${remedy}`;
}

function expectation(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return TYPES[issue.expected] ?? `of type ${issue.expected}`;
    case "too_small":
      if (issue.origin === "string") return "a text that is not empty";
      if (issue.origin === "array") return "a list that is not empty";
      return issue.inclusive ? `at least ${issue.minimum}` : `above ${issue.minimum}`;
    case "too_big":
      return issue.inclusive ? `at most ${issue.maximum}` : `less than ${issue.maximum}`;
    case "invalid_value":
      return oneOf(issue.values);
    case "invalid_union":
      return oneOf((issue as { options?: readonly unknown[] }).options ?? []);
    case "invalid_format":
      return "64 hexadecimal digits";
    default:
      return `valid (${issue.message})`;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  int: "a whole number",
  number: "a number",
  string: "a text",
  boolean: "true or false",
  object: "an object",
  array: "a list",
};

function oneOf(values: readonly unknown[]): string {
  const texts = values.map((value) => JSON.stringify(value));
  return texts.length === 1 ? texts[0]! : `one of ${texts.join(", ")}`;
}

function valueAt(json: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], json);
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "number") return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
