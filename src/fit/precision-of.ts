/** The precision of a recipe. */
import type { Precision } from "../build/index.ts";
import { type Int8Options, int8 } from "../precision/index.ts";
import type { Recipe } from "./recipe.ts";

/** What steps, evaluations and exported models are given. */
export interface RecipePrecision {
  /** Element type of parameters and of what is no product of codes. */
  readonly dtype: "float32" | "float64";
  readonly precision?: Precision;
}

/**
 * Returns what a recipe's `precision` says.
 *
 * @throws OptionError if its bits do not go together.
 */
export function precisionOf({ precision }: Recipe): RecipePrecision {
  if (precision.kind !== "int8") return { dtype: precision.kind };
  const { kind: _, ...options } = precision;
  // Of keys that are left out a checked recipe has none, not undefined ones.
  return { dtype: "float32", precision: int8(options as Int8Options) };
}
