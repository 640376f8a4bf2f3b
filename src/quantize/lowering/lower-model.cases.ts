/** Quantizing and running a small model, for the tests of the lowerings. */
import { writeModel } from "../../onnx/index.ts";
import type { Program } from "../../program/index.ts";
import type { Runtime, SessionOptions } from "../../runtime/index.ts";
import { toNumbers } from "../../tensor/index.ts";
import type { Feeds, QuantizeOptions } from "../options.ts";
import { type QuantizeResult, quantize } from "../quantize.ts";
import { dataOf, randomFeeds, runtime } from "../small-models.cases.ts";

/** What to make of a model. */
export interface Setting {
  readonly target: "cpu" | "webgpu" | "portable" | "simulate";
  readonly weights: number;
  readonly activations: number;
}

/** A setting's name in titles: `cpu W4A8`. */
export function settingName({ target, weights, activations }: Setting): string {
  return `${target} W${weights}A${activations}`;
}

/** Every setting whose lowering differs from the others'. */
export const SETTINGS: readonly Setting[] = [
  { target: "cpu", weights: 8, activations: 8 },
  { target: "cpu", weights: 4, activations: 8 },
  { target: "cpu", weights: 8, activations: 16 },
  { target: "cpu", weights: 4, activations: 16 },
  { target: "portable", weights: 8, activations: 8 },
  { target: "portable", weights: 4, activations: 8 },
  { target: "portable", weights: 4, activations: 16 },
  { target: "webgpu", weights: 8, activations: 16 },
  { target: "webgpu", weights: 4, activations: 16 },
  { target: "simulate", weights: 8, activations: 8 },
  { target: "simulate", weights: 4, activations: 4 },
];

/** Three batches of inputs, of four samples each. */
export function batchesOf(program: Program, rows?: number): Feeds[] {
  const options = { lengths: { batch: 4 }, ...(rows === undefined ? {} : { rows }) };
  return [1, 2, 3].map((seed) => randomFeeds(program, seed, options));
}

/** Quantizes with the same bits everywhere, calibrated on the three batches. */
export function quantizeAs(
  program: Program,
  { target, weights, activations }: Setting,
  batches: readonly Feeds[],
  more: Partial<QuantizeOptions> = {},
): Promise<QuantizeResult> {
  return quantize(program, {
    runtime,
    ...(target === "simulate" ? { simulate: true } : { target }),
    weights,
    activations,
    policy: "uniform",
    calibration: dataOf(batches),
    ...more,
  });
}

/** Runs a program once; every output as plain numbers, one after another. */
export async function run(
  program: Program,
  feeds: Feeds,
  options: SessionOptions & { readonly on?: Runtime } = {},
): Promise<Float64Array> {
  const { on = runtime, ...sessionOptions } = options;
  const session = await on.createSession(writeModel(program), sessionOptions);
  try {
    const results = await session.run(feeds);
    return Float64Array.from(program.graph.outputs.flatMap(({ name }) => [...toNumbers(results[name]!)]));
  } finally {
    await session.release();
  }
}

/** The largest difference between two results, relative to the largest magnitude of the first. */
export function relativeDifference(expected: ArrayLike<number>, actual: ArrayLike<number>): number {
  let largest = 0;
  let difference = 0;
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]!));
    difference = Math.max(difference, Math.abs(expected[i]! - actual[i]!));
  }
  return difference / largest;
}
