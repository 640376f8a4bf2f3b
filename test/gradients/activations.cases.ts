/** Cases of activations. */
import { apart, type GradientCase } from "./gradient-case.ts";

/** Activations. */
export const activationCases: readonly GradientCase[] = [
  { title: "Relu", covers: ["Relu"], inputs: [apart([2, 5])], build: (ops, x) => ops.relu(x) },
];
