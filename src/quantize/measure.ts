/** Measuring what quantization did: float and quantized program side by side in one run, errors reduced in the graph. */
import { writeModel } from "../onnx/index.ts";
import { cloneProgram, Emitter, type Program, type Value } from "../program/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { dtypeCode, int64 } from "../tensor/index.ts";
import { emitDequantized } from "./grid-tensors.ts";
import { joinPrograms } from "./join-programs.ts";
import type { LoweredProgram, LoweredValue } from "./lowering/plan.ts";
import type { CalibrationData } from "./options.ts";

/** A value of the float program and where it is in the quantized one. */
export interface MeasuredPair {
  readonly float: Value;
  readonly quantized: LoweredValue;
}

/**
 * Returns the signal-to-quantization-noise ratio of each pair in decibels, `10 log10(sum x^2 / sum (x - xq)^2)` over the
 * given data; Infinity where the two are equal, null where there is no signal.
 *
 * @param simulation Whether the quantized program is a float simulation (kept from rewrites).
 */
export async function measureSqnr(
  reference: Program,
  lowered: LoweredProgram,
  pairs: readonly MeasuredPair[],
  data: CalibrationData,
  options: { runtime: Runtime; simulation: boolean; batches: number; signal?: AbortSignal | undefined },
): Promise<(number | null)[]> {
  const program = comparisonProgram(reference, lowered.program, pairs);
  const session = await options.runtime.createSession(writeModel(program), { keepQuantization: options.simulation });
  const signal = new Float64Array(pairs.length);
  const noise = new Float64Array(pairs.length);
  try {
    let batch = 0;
    for await (const feeds of data.batches()) {
      if (batch++ === options.batches) break;
      options.signal?.throwIfAborted();
      const sums = (await session.run(feeds))[SUMS_OUTPUT]!.data as Float32Array;
      pairs.forEach((_, i) => {
        const at = 2 * (pairs.length - 1 - i);
        signal[i]! += sums[at]!;
        noise[i]! += sums[at + 1]!;
      });
    }
  } finally {
    await session.release();
  }
  return pairs.map((_, i) => (signal[i] === 0 ? null : 10 * Math.log10(signal[i]! / noise[i]!)));
}

/** Name of the one output: sum of squares of the signal and of the noise of every pair, the last pair first. */
const SUMS_OUTPUT = "modicum.sums";

/** One program that computes both, with the two sums of squares of each pair as its output; see `calibrationProgram`. */
function comparisonProgram(reference: Program, lowered: Program, pairs: readonly MeasuredPair[]): Program {
  const { program: quantized, values } = cloneProgram(lowered);
  const emitter = new Emitter();
  const sums = pairs.toReversed().flatMap(({ float, quantized: { value, grid } }) => {
    const lowered = values.get(value)!;
    const numbers = grid ? emitDequantized(emitter, lowered, grid) : lowered;
    const error = emitter.emit("Sub", [float, numbers]);
    return [squareSum(float, emitter), squareSum(error, emitter)];
  });
  const output = { output: SUMS_OUTPUT, dtype: "float32", shape: [2 * pairs.length], attributes: { axis: 0 } } as const;
  const outputs = [emitter.emit("Concat", sums, output)];
  return joinPrograms(reference, quantized, emitter, outputs);
}

function squareSum(x: Value, emitter: Emitter): Value {
  const numbers = x.dtype === "float32" ? x : emitter.emit("Cast", [x], { attributes: { to: dtypeCode("float32") } });
  const square = emitter.emit("Mul", [numbers, numbers]);
  const flat = emitter.emit("Reshape", [square, emitter.constant("flat", int64([-1]))]);
  return emitter.emit("ReduceSum", [flat], { dtype: "float32", shape: [1], attributes: { keepdims: 1 } });
}
