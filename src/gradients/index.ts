/** Differentiating programs: gradient rules of operators, and reverse mode over a graph. */
export { differentiate, gradients } from "./gradients.ts";
export { findGradientRule, gradientFamilies } from "./rules.ts";
