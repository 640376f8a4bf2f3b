/** What sets runs apart: the keys of their recipes and surroundings as a table. */
import type { ReportedRun } from "./reported-run.ts";

/** A key and what each run has there; null where a run does not have the key. */
export interface RecipeRow {
  /** Such as `optimizer.momentum`. */
  readonly key: string;
  /** One text a run, in their order. */
  readonly values: readonly (string | null)[];
}

/** Returns the keys of the recipes, and versions and device, in which runs differ; all keys with `all`. */
export function recipeRows(
  runs: readonly ReportedRun[],
  { all = false }: { readonly all?: boolean } = {},
): RecipeRow[] {
  const flat = runs.map(({ description }) => {
    const { recipe, modicum, onnxruntime, node, commit, device, dataFingerprint } = description;
    const around = { modicum, onnxruntime, node, commit, device, "data fingerprint": dataFingerprint.slice(0, 12) };
    return new Map([...leaves(recipe, ""), ...leaves(around, "")]);
  });
  const keys = new Set(flat.flatMap((run) => [...run.keys()]));
  return [...keys]
    .map((key) => ({ key, values: flat.map((run) => run.get(key) ?? null) }))
    .filter(({ values }) => all || values.some((value) => value !== values[0]));
}

/** Lists are one value: their places mean nothing by themselves. */
function leaves(value: unknown, path: string): [string, string][] {
  if (value === undefined) return [];
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([key, inner]) => leaves(inner, path === "" ? key : `${path}.${key}`));
  }
  return [[path, typeof value === "string" ? value : JSON.stringify(value)]];
}
