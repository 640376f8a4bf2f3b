/** Gradients of reading and changing single elements. */
import type { GradientRule } from "../../build/index.ts";
import { throughDecomposition } from "./through-decomposition.ts";

/** By Gather and ScatterElements. */
export const elementAccess: Readonly<Record<string, GradientRule>> = {
  "modicum:TakeElements": throughDecomposition,
  "modicum:AddElements": throughDecomposition,
};
