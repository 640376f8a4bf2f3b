/** Operators through which no gradient flows. */
import type { GradientRule } from "../../build/index.ts";
import { noGradient } from "./marks.ts";

/** Constant between their jumps. */
const STEPS = ["Sign", "Floor", "Ceil", "Round", "Hardmax"];

/** Comparisons, logic and positions: results that are no numbers to differentiate. */
// biome-ignore format: a table
const DISCRETE = [
  "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "And", "Or", "Xor", "Not", "IsNaN", "IsInf",
  "ArgMax", "ArgMin", "NonZero", "Shape", "Size",
];

/** What depends on the input's shape only, and draws, whose probabilities cannot be followed. */
const SHAPED = ["RandomNormalLike", "RandomUniformLike", "EyeLike", "Bernoulli"];

/** Operators without gradient. */
export const constants: Readonly<Record<string, GradientRule>> = Object.fromEntries(
  [...STEPS, ...DISCRETE, ...SHAPED].map((name) => [name, noGradient]),
);
