/** Batch normalizations as recipes write them. */
import type * as nn from "../nn/index.ts";
import type { Recipe } from "./recipe.ts";

type Named = Extract<Recipe["model"], { name: string }>;
type BatchNormRecipe = Extract<NonNullable<Named["normalization"]>, { kind: "batch" }>;

/** Returns the layer's options: absent keys stay absent, deviations become the layer's. */
export function batchNormOptions({ kind: _, deviation, ...rest }: BatchNormRecipe): nn.BatchNormOptions {
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(given), ...(deviation !== undefined && { deviation: deviationNamed(deviation) }) };
}

/** `top-10` -> { top: 10 }, `l3` -> { p: 3 }, `range-16` -> { range: 16 }. */
function deviationNamed(name: string): nn.DeviationChoice {
  const [, kind, number] = /^(l|top-|range-)(\d.*)$/.exec(name) ?? [];
  if (name === "l1" || name === "l2" || number === undefined) return name as nn.DeviationChoice;
  const value = Number(number);
  return kind === "l" ? { p: value } : kind === "top-" ? { top: value } : { range: value };
}
