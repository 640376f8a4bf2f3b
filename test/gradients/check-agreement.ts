/** Gradients in float32 on a device, as training runs them, against float64. */
import { writeModel } from "../../src/onnx/index.ts";
import type { Device, Runtime } from "../../src/runtime/index.ts";
import { toNumbers } from "../../src/tensor/index.ts";
import { gradientCases } from "./cases.ts";
import type { GradientCase } from "./gradient-case.ts";
import { buildProgram, type DrawnCase, draw, feedsOf, type ProgramSettings } from "./gradient-programs.ts";

/**
 * Greatest difference of a gradient in float32 from one in float64, relative to its largest element (and to 1), by device. On
 * processors: some ten roundings of 6e-8, and functions that are approximated to 1e-6. WebGPU asks of sin and cos only 5e-4.
 */
export const FLOAT32_TOLERANCES: Readonly<Record<Device, number>> = { cpu: 2e-5, wasm: 2e-5, webgpu: 1e-3, cuda: 1e-3 };

/** A case's gradients in float64 on the CPU; undefined where nothing depends on the input. */
export type Reference = readonly (readonly number[] | undefined)[];

/** Runs a case's gradients in float64. */
export function referenceOf(subject: GradientCase, cpu: Runtime): Promise<Reference> {
  return run(draw(subject), cpu, { dtype: "float64", device: "cpu", order: "first" });
}

/** Returns what differs when a case's gradients run in float32 on a device; nothing when all agree. */
export async function checkAgreement(subject: GradientCase, reference: Reference, runtime: Runtime): Promise<string[]> {
  const gradients = await run(draw(subject), runtime, { dtype: "float32", device: runtime.device, order: "first" });
  return gradients.flatMap((values, index) => {
    const expected = reference[index];
    if (!values || !expected)
      return values === expected ? [] : [`${subject.title}: gradient ${index} is on one side only`];
    const scale = Math.max(1, ...expected.map(Math.abs));
    const error = Math.max(...expected.map((value, element) => Math.abs(value - values[element]!))) / scale;
    return error <= FLOAT32_TOLERANCES[runtime.device]
      ? []
      : [`${subject.title}: gradient ${index} is off by ${error.toExponential(1)}`];
  });
}

async function run(drawn: DrawnCase, runtime: Runtime, settings: ProgramSettings): Promise<Reference> {
  const { program, outputs } = buildProgram(drawn, settings);
  if (program.graph.outputs.length === 0) return outputs.map(() => undefined);
  const session = await runtime.createSession(writeModel(program));
  try {
    const results = await session.run(feedsOf(drawn.inputs, settings.dtype));
    return outputs.map((_, index) => results[`y${index}`] && [...toNumbers(results[`y${index}`]!)]);
  } finally {
    await session.release();
  }
}

/** The first case of each operator that runs on the device. */
export function oneCasePerOperator(device: "wasm" | "webgpu"): GradientCase[] {
  const shown = new Set<string>();
  return Object.values(gradientCases)
    .flat()
    .filter(({ covers, skip }) => {
      const isNew = skip?.[device] === undefined && covers.some((operator) => !shown.has(operator));
      if (isNew) for (const operator of covers) shown.add(operator);
      return isNew;
    });
}
