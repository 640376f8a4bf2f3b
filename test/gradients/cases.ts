/** The list of all gradient cases: the one place where a file of cases is registered. */
import { activationCases } from "./activations.cases.ts";
import { arithmeticCases } from "./arithmetic.cases.ts";
import type { GradientCase } from "./gradient-case.ts";

/** Cases by the file they are in. */
export const gradientCases: Readonly<Record<string, readonly GradientCase[]>> = {
  arithmetic: arithmeticCases,
  activations: activationCases,
};
