/** The rows of docs/results/quantization.md: every ingredient of ACIQ alone and together, and what can be deployed. */
import type { QuantizeOptions } from "../../src/quantize/index.ts";

/** One way to quantize. */
export interface Row {
  readonly name: string;
  /** Weight and activation bits, as in "W4A8". */
  readonly bits: string;
  readonly options: Omit<QuantizeOptions, "runtime" | "calibration">;
}

const NAIVE = { simulate: true, policy: "paper", range: "min-max", correction: "none", weightAllocation: "none", activationAllocation: "none", granularity: "channel" } as const; // biome-ignore format: one setting
const CLIP = { range: "aciq-laplace" } as const;
const SHARED_ACTIVATIONS = { activationAllocation: "fixed-target" } as const;
const SHARED_WEIGHTS = { weightAllocation: "fixed-target" } as const;
const CORRECTED = { correction: "mean" } as const;

/** Deployable models: integers that ONNX Runtime executes. */
export const DEPLOYABLE_ROWS: readonly Row[] = [
  { name: "cpu", bits: "W8A8", options: { weights: 8, activations: 8 } },
  { name: "cpu", bits: "W4A8", options: { weights: 4, activations: 8 } },
  {
    name: "cpu, no correction, min-max",
    bits: "W4A8",
    options: { weights: 4, activations: 8, range: "min-max", weightRange: "min-max", correction: "none" },
  },
  { name: "portable (QDQ)", bits: "W4A8", options: { weights: 4, activations: 8, target: "portable" } },
  { name: "webgpu (weights only)", bits: "W4A16", options: { weights: 4, target: "webgpu" } },
];

/** Simulations, in the order of the paper's table: activations at 4 bits, weights at 4 bits, both. */
export const SIMULATED_ROWS: readonly Row[] = [
  { name: "min-max, one range per tensor", bits: "W8A4", options: { ...NAIVE, weights: 8, activations: 4, granularity: "tensor" } },
  { name: "min-max", bits: "W8A4", options: { ...NAIVE, weights: 8, activations: 4 } },
  { name: "clip", bits: "W8A4", options: { ...NAIVE, ...CLIP, weights: 8, activations: 4 } },
  { name: "bit allocation", bits: "W8A4", options: { ...NAIVE, ...SHARED_ACTIVATIONS, weights: 8, activations: 4 } },
  { name: "clip + bit allocation", bits: "W8A4", options: { ...NAIVE, ...CLIP, ...SHARED_ACTIVATIONS, weights: 8, activations: 4 } },
  { name: "min-max", bits: "W4A8", options: { ...NAIVE, weights: 4, activations: 8 } },
  { name: "bias correction", bits: "W4A8", options: { ...NAIVE, ...CORRECTED, weights: 4, activations: 8 } },
  { name: "bit allocation", bits: "W4A8", options: { ...NAIVE, ...SHARED_WEIGHTS, weights: 4, activations: 8 } },
  { name: "bias correction + bit allocation", bits: "W4A8", options: { ...NAIVE, ...CORRECTED, ...SHARED_WEIGHTS, weights: 4, activations: 8 } },
  { name: "min-max, one range per tensor", bits: "W4A4", options: { ...NAIVE, weights: 4, activations: 4, granularity: "tensor" } },
  { name: "min-max", bits: "W4A4", options: { ...NAIVE, weights: 4, activations: 4 } },
  { name: "all of ACIQ", bits: "W4A4", options: { ...NAIVE, ...CLIP, ...SHARED_ACTIVATIONS, ...CORRECTED, ...SHARED_WEIGHTS, weights: 4, activations: 4 } },
  { name: "all of ACIQ, Gauss prior", bits: "W4A4", options: { ...NAIVE, ...CLIP, ...SHARED_ACTIVATIONS, ...CORRECTED, ...SHARED_WEIGHTS, range: "aciq-gauss", weights: 4, activations: 4 } },
  { name: "all, allocation by bits, measured clips (default)", bits: "W4A4", options: { simulate: true, weights: 4, activations: 4 } },
  { name: "default, sums and inputs at 4 bits too", bits: "W4A4", options: { simulate: true, weights: 4, activations: 4, policy: "deploy" } },
]; // biome-ignore format: a table
