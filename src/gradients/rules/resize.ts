/** Gradients of resampling. */
import type { GradientRule } from "../../build/index.ts";
import { throughDecomposition } from "./through-decomposition.ts";

/** Resampling at fixed places is a linear map per axis, at places given by numbers a weighted mean. */
export const resizes: Readonly<Record<string, GradientRule>> = {
  Resize: throughDecomposition,
  GridSample: throughDecomposition,
  AffineGrid: throughDecomposition,
};
