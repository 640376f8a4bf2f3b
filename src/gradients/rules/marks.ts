/** Nodes that only say how gradients flow, and nodes through which none does. */
import type { GradientRule } from "../../build/index.ts";

/**
 * The gradient of functions that are constant between their jumps (Round, Sign), and of results that are not numbers to
 * differentiate (comparisons): zero.
 */
export const noGradient: GradientRule = () => [];

/** Passing on unchanged (straight through, where numbers are rounded to a grid), and not at all. */
export const marks: Readonly<Record<string, GradientRule>> = {
  Identity: ({ dy }) => [dy],
  "modicum:StopGradient": noGradient,
  "modicum:Quantized": ({ dy }) => [dy],
};
