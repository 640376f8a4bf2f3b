/** Measured forms, as programs are lowered by default. Written by scripts/lowering-tables.ts. */
import type { Device } from "../../runtime/index.ts";
import type { ConvolutionShape } from "./form.ts";
import type { FormTiming, LoweringTable } from "./lowering-table.ts";

/** Operator, shape and milliseconds by form. The shape: examples, inputs, outputs, lengths, kernel, stride, group. */
type Row = readonly [
  operator: string,
  shape: readonly [number, number, number, readonly number[], readonly number[], number, number],
  ms: Readonly<Record<string, number>>,
];

/** onnxruntime-node 1.30.0, cpu. */
// biome-ignore format: a table
const CPU: readonly Row[] = [
  ["modicum:ConvInputGradient", [32, 1, 6, [28, 28], [5, 5], 1, 1], { convolve: 0.642, transpose: 0.245 }],
  ["modicum:ConvWeightGradient", [32, 1, 6, [28, 28], [5, 5], 1, 1], { copies: 0.42, patches: 0.288, convolve: 0.395 }],
  ["modicum:ConvInputGradient", [32, 6, 16, [14, 14], [5, 5], 1, 1], { convolve: 0.8, transpose: 0.494 }],
  ["modicum:ConvWeightGradient", [32, 6, 16, [14, 14], [5, 5], 1, 1], { copies: 0.586, patches: 0.725, convolve: 0.714 }],
  ["modicum:ConvInputGradient", [32, 1, 32, [28, 28], [3, 3], 1, 1], { convolve: 1.19, transpose: 0.21 }],
  ["modicum:ConvWeightGradient", [32, 1, 32, [28, 28], [3, 3], 1, 1], { copies: 1.61, patches: 0.57, convolve: 0.575 }],
  ["modicum:ConvInputGradient", [32, 3, 16, [32, 32], [3, 3], 1, 1], { convolve: 1.02, transpose: 0.436 }],
  ["modicum:ConvWeightGradient", [32, 3, 16, [32, 32], [3, 3], 1, 1], { copies: 1.19, patches: 0.794, convolve: 1.21 }],
  ["modicum:ConvInputGradient", [32, 3, 64, [32, 32], [3, 3], 1, 1], { convolve: 4.83, transpose: 1.46 }],
  ["modicum:ConvWeightGradient", [32, 3, 64, [32, 32], [3, 3], 1, 1], { copies: 7.69, patches: 1.72, convolve: 2.4 }],
  ["modicum:ConvInputGradient", [32, 3, 64, [64, 64], [7, 7], 2, 1], { convolve: 33.1, transpose: 13.4 }],
  ["modicum:ConvWeightGradient", [32, 3, 64, [64, 64], [7, 7], 2, 1], { patches: 24.9, convolve: 15 }],
  ["modicum:ConvInputGradient", [32, 8, 8, [32, 32], [3, 3], 1, 1], { convolve: 0.603, transpose: 0.834 }],
  ["modicum:ConvWeightGradient", [32, 8, 8, [32, 32], [3, 3], 1, 1], { copies: 0.894, patches: 1.58, convolve: 2.63 }],
  ["modicum:ConvInputGradient", [32, 16, 16, [32, 32], [3, 3], 1, 1], { convolve: 1.55, transpose: 2.1 }],
  ["modicum:ConvWeightGradient", [32, 16, 16, [32, 32], [3, 3], 1, 1], { copies: 2.36, patches: 12.2, convolve: 10.1 }],
  ["modicum:ConvInputGradient", [32, 24, 24, [16, 16], [3, 3], 1, 1], { convolve: 0.757, transpose: 0.909 }],
  ["modicum:ConvWeightGradient", [32, 24, 24, [16, 16], [3, 3], 1, 1], { copies: 1.26, patches: 1.75, convolve: 2.58 }],
  ["modicum:ConvInputGradient", [32, 32, 32, [16, 16], [3, 3], 1, 1], { convolve: 1.2, transpose: 1.39 }],
  ["modicum:ConvWeightGradient", [32, 32, 32, [16, 16], [3, 3], 1, 1], { copies: 1.82, patches: 2.61, convolve: 6.76 }],
  ["modicum:ConvInputGradient", [32, 64, 64, [8, 8], [3, 3], 1, 1], { convolve: 1.12, transpose: 1.1 }],
  ["modicum:ConvWeightGradient", [32, 64, 64, [8, 8], [3, 3], 1, 1], { copies: 1.5, patches: 1.65, convolve: 2.59 }],
  ["modicum:ConvInputGradient", [32, 64, 64, [32, 32], [3, 3], 1, 1], { convolve: 39.5, transpose: 43.6 }],
  ["modicum:ConvWeightGradient", [32, 64, 64, [32, 32], [3, 3], 1, 1], { copies: 44.8, patches: 68, convolve: 113 }],
  ["modicum:ConvInputGradient", [32, 128, 128, [16, 16], [3, 3], 1, 1], { convolve: 49.8, transpose: 39.1 }],
  ["modicum:ConvWeightGradient", [32, 128, 128, [16, 16], [3, 3], 1, 1], { copies: 72, patches: 53.3, convolve: 69 }],
  ["modicum:ConvInputGradient", [32, 256, 256, [8, 8], [3, 3], 1, 1], { convolve: 37.6, transpose: 35.1 }],
  ["modicum:ConvWeightGradient", [32, 256, 256, [8, 8], [3, 3], 1, 1], { copies: 54.6, patches: 33.3, convolve: 49 }],
  ["modicum:ConvInputGradient", [32, 512, 512, [4, 4], [3, 3], 1, 1], { convolve: 45.1, transpose: 60.4 }],
  ["modicum:ConvWeightGradient", [32, 512, 512, [4, 4], [3, 3], 1, 1], { copies: 58.6, patches: 30.8, convolve: 55.3 }],
  ["modicum:ConvInputGradient", [32, 16, 32, [32, 32], [3, 3], 2, 1], { convolve: 2.17, transpose: 0.826 }],
  ["modicum:ConvWeightGradient", [32, 16, 32, [32, 32], [3, 3], 2, 1], { patches: 2.32, convolve: 2.53 }],
  ["modicum:ConvInputGradient", [32, 64, 128, [32, 32], [3, 3], 2, 1], { convolve: 58.1, transpose: 16.5 }],
  ["modicum:ConvWeightGradient", [32, 64, 128, [32, 32], [3, 3], 2, 1], { patches: 28.2, convolve: 38 }],
  ["modicum:ConvInputGradient", [32, 128, 256, [16, 16], [3, 3], 2, 1], { convolve: 23.2, transpose: 13 }],
  ["modicum:ConvWeightGradient", [32, 128, 256, [16, 16], [3, 3], 2, 1], { patches: 21.4, convolve: 26 }],
  ["modicum:ConvInputGradient", [32, 32, 128, [16, 16], [1, 1], 1, 1], { convolve: 0.397, transpose: 0.462 }],
  ["modicum:ConvWeightGradient", [32, 32, 128, [16, 16], [1, 1], 1, 1], { copies: 0.616, patches: 0.622, convolve: 2.45 }],
  ["modicum:ConvInputGradient", [32, 128, 32, [16, 16], [1, 1], 1, 1], { convolve: 0.343, transpose: 0.489 }],
  ["modicum:ConvWeightGradient", [32, 128, 32, [16, 16], [1, 1], 1, 1], { copies: 0.827, patches: 1.05, convolve: 4.57 }],
  ["modicum:ConvInputGradient", [32, 16, 32, [32, 32], [1, 1], 2, 1], { convolve: 1.5, transpose: 0.149 }],
  ["modicum:ConvWeightGradient", [32, 16, 32, [32, 32], [1, 1], 2, 1], { patches: 0.378, convolve: 1.56 }],
  ["modicum:ConvInputGradient", [32, 64, 128, [16, 16], [1, 1], 2, 1], { convolve: 1.95, transpose: 0.273 }],
  ["modicum:ConvWeightGradient", [32, 64, 128, [16, 16], [1, 1], 2, 1], { patches: 0.696, convolve: 3.64 }],
  ["modicum:ConvInputGradient", [32, 16, 32, [512], [9], 1, 1], { convolve: 1.51, transpose: 6.07 }],
  ["modicum:ConvWeightGradient", [32, 16, 32, [512], [9], 1, 1], { patches: 2.34, convolve: 3.01 }],
  ["modicum:ConvInputGradient", [32, 64, 64, [256], [3], 1, 1], { convolve: 1.42, transpose: 4.85 }],
  ["modicum:ConvWeightGradient", [32, 64, 64, [256], [3], 1, 1], { patches: 2.16, convolve: 12 }],
  ["modicum:ConvInputGradient", [32, 64, 128, [256], [3], 2, 1], { convolve: 1.65, transpose: 2.92 }],
  ["modicum:ConvWeightGradient", [32, 64, 128, [256], [3], 2, 1], { patches: 2.47, convolve: 7.34 }],
  ["modicum:ConvInputGradient", [32, 32, 32, [28, 28], [3, 3], 1, 32], { convolve: 1.27, transpose: 2.49 }],
  ["modicum:ConvWeightGradient", [32, 32, 32, [28, 28], [3, 3], 1, 32], { taps: 3.11, convolve: 7.33 }],
  ["modicum:ConvInputGradient", [32, 128, 128, [14, 14], [3, 3], 1, 128], { convolve: 1.72, transpose: 3 }],
  ["modicum:ConvWeightGradient", [32, 128, 128, [14, 14], [3, 3], 1, 128], { taps: 4.83, convolve: 7.28 }],
  ["modicum:ConvInputGradient", [32, 64, 64, [28, 28], [3, 3], 2, 64], { transpose: 1.68 }],
  ["modicum:ConvWeightGradient", [32, 64, 64, [28, 28], [3, 3], 2, 64], { taps: 4.96, convolve: 4.58 }],
];

/** onnxruntime-web 1.30.0, wasm. */
// biome-ignore format: a table
const WASM: readonly Row[] = [
  ["modicum:ConvInputGradient", [32, 1, 6, [28, 28], [5, 5], 1, 1], { convolve: 1.16, transpose: 0.541 }],
  ["modicum:ConvWeightGradient", [32, 1, 6, [28, 28], [5, 5], 1, 1], { copies: 2.8, patches: 1.62, convolve: 35.1 }],
  ["modicum:ConvInputGradient", [32, 6, 16, [14, 14], [5, 5], 1, 1], { convolve: 27.1, transpose: 1.41 }],
  ["modicum:ConvWeightGradient", [32, 6, 16, [14, 14], [5, 5], 1, 1], { copies: 3.42, patches: 38.4, convolve: 17.5 }],
  ["modicum:ConvInputGradient", [32, 1, 32, [28, 28], [3, 3], 1, 1], { convolve: 2.22, transpose: 0.839 }],
  ["modicum:ConvWeightGradient", [32, 1, 32, [28, 28], [3, 3], 1, 1], { copies: 16.5, patches: 1.55, convolve: 6.67 }],
  ["modicum:ConvInputGradient", [32, 3, 16, [32, 32], [3, 3], 1, 1], { convolve: 2.02, transpose: 1.34 }],
  ["modicum:ConvWeightGradient", [32, 3, 16, [32, 32], [3, 3], 1, 1], { copies: 2.75, patches: 1.78, convolve: 3.07 }],
  ["modicum:ConvInputGradient", [32, 3, 64, [32, 32], [3, 3], 1, 1], { convolve: 8.18, transpose: 4.5 }],
  ["modicum:ConvWeightGradient", [32, 3, 64, [32, 32], [3, 3], 1, 1], { copies: 13.5, patches: 12.3, convolve: 9.28 }],
  ["modicum:ConvInputGradient", [32, 3, 64, [64, 64], [7, 7], 2, 1], { convolve: 41.5, transpose: 31.8 }],
  ["modicum:ConvWeightGradient", [32, 3, 64, [64, 64], [7, 7], 2, 1], { patches: 43.1, convolve: 45.9 }],
  ["modicum:ConvInputGradient", [32, 8, 8, [32, 32], [3, 3], 1, 1], { convolve: 1.66, transpose: 1.91 }],
  ["modicum:ConvWeightGradient", [32, 8, 8, [32, 32], [3, 3], 1, 1], { copies: 2.65, patches: 3.31, convolve: 5.52 }],
  ["modicum:ConvInputGradient", [32, 16, 16, [32, 32], [3, 3], 1, 1], { convolve: 5.81, transpose: 6.09 }],
  ["modicum:ConvWeightGradient", [32, 16, 16, [32, 32], [3, 3], 1, 1], { copies: 7.08, patches: 9.12, convolve: 15.5 }],
  ["modicum:ConvInputGradient", [32, 24, 24, [16, 16], [3, 3], 1, 1], { convolve: 3.09, transpose: 3.13 }],
  ["modicum:ConvWeightGradient", [32, 24, 24, [16, 16], [3, 3], 1, 1], { copies: 4.29, patches: 5.04, convolve: 7.12 }],
  ["modicum:ConvInputGradient", [32, 32, 32, [16, 16], [3, 3], 1, 1], { convolve: 5.27, transpose: 5.33 }],
  ["modicum:ConvWeightGradient", [32, 32, 32, [16, 16], [3, 3], 1, 1], { copies: 6.48, patches: 7.89, convolve: 11.5 }],
  ["modicum:ConvInputGradient", [32, 64, 64, [8, 8], [3, 3], 1, 1], { convolve: 5.62, transpose: 5.55 }],
  ["modicum:ConvWeightGradient", [32, 64, 64, [8, 8], [3, 3], 1, 1], { copies: 6.5, patches: 7.15, convolve: 9.49 }],
  ["modicum:ConvInputGradient", [32, 64, 64, [32, 32], [3, 3], 1, 1], { convolve: 88.6, transpose: 89.2 }],
  ["modicum:ConvWeightGradient", [32, 64, 64, [32, 32], [3, 3], 1, 1], { copies: 90.3, patches: 95.3, convolve: 148 }],
  ["modicum:ConvInputGradient", [32, 128, 128, [16, 16], [3, 3], 1, 1], { convolve: 70.3, transpose: 76.9 }],
  ["modicum:ConvWeightGradient", [32, 128, 128, [16, 16], [3, 3], 1, 1], { copies: 80.7, patches: 86, convolve: 134 }],
  ["modicum:ConvInputGradient", [32, 256, 256, [8, 8], [3, 3], 1, 1], { convolve: 115, transpose: 112 }],
  ["modicum:ConvWeightGradient", [32, 256, 256, [8, 8], [3, 3], 1, 1], { copies: 91.3, patches: 105, convolve: 157 }],
  ["modicum:ConvInputGradient", [32, 512, 512, [4, 4], [3, 3], 1, 1], { convolve: 108, transpose: 99.6 }],
  ["modicum:ConvWeightGradient", [32, 512, 512, [4, 4], [3, 3], 1, 1], { copies: 104, patches: 92.6, convolve: 164 }],
  ["modicum:ConvInputGradient", [32, 16, 32, [32, 32], [3, 3], 2, 1], { convolve: 5.32, transpose: 2.84 }],
  ["modicum:ConvWeightGradient", [32, 16, 32, [32, 32], [3, 3], 2, 1], { patches: 5.09, convolve: 6.24 }],
  ["modicum:ConvInputGradient", [32, 64, 128, [32, 32], [3, 3], 2, 1], { convolve: 110, transpose: 59.9 }],
  ["modicum:ConvWeightGradient", [32, 64, 128, [32, 32], [3, 3], 2, 1], { patches: 66.2, convolve: 98.4 }],
  ["modicum:ConvInputGradient", [32, 128, 256, [16, 16], [3, 3], 2, 1], { convolve: 109, transpose: 40 }],
  ["modicum:ConvWeightGradient", [32, 128, 256, [16, 16], [3, 3], 2, 1], { patches: 69, convolve: 110 }],
  ["modicum:ConvInputGradient", [32, 32, 128, [16, 16], [1, 1], 1, 1], { convolve: 2.29, transpose: 2.4 }],
  ["modicum:ConvWeightGradient", [32, 32, 128, [16, 16], [1, 1], 1, 1], { copies: 3.15, patches: 3.05, convolve: 50.9 }],
  ["modicum:ConvInputGradient", [32, 128, 32, [16, 16], [1, 1], 1, 1], { convolve: 1.97, transpose: 2.31 }],
  ["modicum:ConvWeightGradient", [32, 128, 32, [16, 16], [1, 1], 1, 1], { copies: 4.41, patches: 4.1, convolve: 38.9 }],
  ["modicum:ConvInputGradient", [32, 16, 32, [32, 32], [1, 1], 2, 1], { convolve: 1.9, transpose: 0.427 }],
  ["modicum:ConvWeightGradient", [32, 16, 32, [32, 32], [1, 1], 2, 1], { patches: 1.02, convolve: 5.38 }],
  ["modicum:ConvInputGradient", [32, 64, 128, [16, 16], [1, 1], 2, 1], { convolve: 5.19, transpose: 1.25 }],
  ["modicum:ConvWeightGradient", [32, 64, 128, [16, 16], [1, 1], 2, 1], { patches: 2.59, convolve: 33.5 }],
  ["modicum:ConvInputGradient", [32, 16, 32, [512], [9], 1, 1], { convolve: 5.93, transpose: 13.3 }],
  ["modicum:ConvWeightGradient", [32, 16, 32, [512], [9], 1, 1], { patches: 12.5, convolve: 21.8 }],
  ["modicum:ConvInputGradient", [32, 64, 64, [256], [3], 1, 1], { convolve: 16.1, transpose: 38.4 }],
  ["modicum:ConvWeightGradient", [32, 64, 64, [256], [3], 1, 1], { patches: 10.3, convolve: 45.4 }],
  ["modicum:ConvInputGradient", [32, 64, 128, [256], [3], 2, 1], { convolve: 12, transpose: 13.1 }],
  ["modicum:ConvWeightGradient", [32, 64, 128, [256], [3], 2, 1], { patches: 14.4, convolve: 54.5 }],
  ["modicum:ConvInputGradient", [32, 32, 32, [28, 28], [3, 3], 1, 32], { convolve: 2.07, transpose: 3.92 }],
  ["modicum:ConvWeightGradient", [32, 32, 32, [28, 28], [3, 3], 1, 32], { taps: 7.95, convolve: 10.4 }],
  ["modicum:ConvInputGradient", [32, 128, 128, [14, 14], [3, 3], 1, 128], { convolve: 3.54, transpose: 4.06 }],
  ["modicum:ConvWeightGradient", [32, 128, 128, [14, 14], [3, 3], 1, 128], { taps: 13.7, convolve: 15.4 }],
  ["modicum:ConvInputGradient", [32, 64, 64, [28, 28], [3, 3], 2, 64], { transpose: 2.24 }],
  ["modicum:ConvWeightGradient", [32, 64, 64, [28, 28], [3, 3], 2, 64], { taps: 13.5, convolve: 11.9 }],
];

const CPU_TABLE = tableOf("onnxruntime-node 1.30.0, cpu", CPU);
const WASM_TABLE = tableOf("onnxruntime-web 1.30.0, wasm", WASM);

/** Returns the measurements for a device; those of cpu stand in for devices that were not measured. */
export function defaultTable(device: Device): LoweringTable {
  return device === "wasm" ? WASM_TABLE : CPU_TABLE;
}

function tableOf(runtime: string, rows: readonly Row[]): LoweringTable {
  return { runtime, timings: rows.map(timingOf) };
}

function timingOf([operator, [examples, inputs, outputs, lengths, kernel, stride, group], ms]: Row): FormTiming {
  const shape: ConvolutionShape = { examples, inputs, outputs, lengths, kernel, stride, group };
  return { operator, shape, ms };
}
