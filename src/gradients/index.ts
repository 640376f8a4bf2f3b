/** Differentiating programs: gradient rules of operators, and reverse mode over a graph. */
export { differentiate, gradients } from "./gradients.ts";
export { noGradient } from "./rules/marks.ts";
export { findGradientRule, gradientFamilies } from "./rules.ts";
