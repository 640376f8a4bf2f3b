/** How far two programs' outputs are apart on the same input: the check of every rewrite. */
import { writeModel } from "../onnx/index.ts";
import type { Program } from "../program/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { isFloat, type Tensor, toNumbers } from "../tensor/index.ts";

/** The largest difference between two programs' outputs. */
export interface OutputDifference {
  /** Largest absolute difference of any element. */
  readonly absolute: number;
  /** Largest, over the outputs, of the largest absolute difference divided by the largest magnitude in that output. */
  readonly relative: number;
  /** Name of the output with the largest relative difference. */
  readonly output: string;
}

/**
 * Runs two programs on the same inputs and compares their float outputs; outputs of other types must be there, but are not
 * compared (an argmax may change by a rounding error). Equal infinities and NaNs in the same place count as equal.
 *
 * @param options.feeds One tensor per input, by the names of `before`'s inputs.
 */
export async function outputDifference(
  before: Program,
  after: Program,
  options: { readonly runtime: Runtime; readonly feeds: Readonly<Record<string, Tensor>> },
): Promise<OutputDifference> {
  const expected = await runOnce(before, options);
  const actual = await runOnce(after, options);
  let worst: OutputDifference = { absolute: 0, relative: 0, output: "" };
  for (const [name, tensor] of Object.entries(expected)) {
    const other = actual[name];
    const { absolute, magnitude } = other
      ? tensorDifference(tensor, other)
      : { absolute: Number.POSITIVE_INFINITY, magnitude: 1 };
    const relative = absolute === 0 ? 0 : absolute / (magnitude || 1);
    if (relative > worst.relative || worst.output === "")
      worst = { absolute: Math.max(absolute, worst.absolute), relative, output: name };
    else if (absolute > worst.absolute) worst = { ...worst, absolute };
  }
  return worst;
}

async function runOnce(
  program: Program,
  { runtime, feeds }: { readonly runtime: Runtime; readonly feeds: Readonly<Record<string, Tensor>> },
): Promise<Record<string, Tensor>> {
  const session = await runtime.createSession(writeModel(program));
  try {
    const wanted = session.inputNames.filter((name) => name in feeds).map((name) => [name, feeds[name]!] as const);
    return await session.run(Object.fromEntries(wanted));
  } finally {
    await session.release();
  }
}

function tensorDifference(a: Tensor, b: Tensor): { absolute: number; magnitude: number } {
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join())
    return { absolute: Number.POSITIVE_INFINITY, magnitude: 1 };
  if (!isFloat(a.dtype)) return { absolute: 0, magnitude: 1 };
  const x = toNumbers(a);
  const y = toNumbers(b);
  let absolute = 0;
  let magnitude = 0;
  for (let i = 0; i < x.length; i++) {
    if (Number.isFinite(x[i]!)) magnitude = Math.max(magnitude, Math.abs(x[i]!));
    if (Object.is(x[i], y[i]) || x[i] === y[i]) continue;
    const apart = Math.abs(x[i]! - y[i]!);
    absolute = Math.max(absolute, Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart);
  }
  return { absolute, magnitude };
}
