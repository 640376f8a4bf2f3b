/** Measuring what quantization did: float and quantized program side by side in one run, errors reduced in the graph. */
import { writeModel } from "../onnx/index.ts";
import { cloneProgram, Emitter, Graph, Program, type Value } from "../program/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { dtypeCode, float32, int64, Tensor } from "../tensor/index.ts";
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
  options: { runtime: Runtime; simulation: boolean; batches: number },
): Promise<(number | null)[]> {
  const program = comparisonProgram(reference, lowered.program, pairs);
  const session = await options.runtime.createSession(writeModel(program), { keepQuantization: options.simulation });
  const signal = new Float64Array(pairs.length);
  const noise = new Float64Array(pairs.length);
  try {
    let batch = 0;
    for await (const feeds of data.batches()) {
      if (batch++ === options.batches) break;
      const results = await session.run(feeds);
      pairs.forEach((_, i) => {
        signal[i]! += Number(results[`modicum.signal.${i}`]!.data[0]);
        noise[i]! += Number(results[`modicum.noise.${i}`]!.data[0]);
      });
    }
  } finally {
    await session.release();
  }
  return pairs.map((_, i) => (signal[i] === 0 ? null : 10 * Math.log10(signal[i]! / noise[i]!)));
}

/** One program that computes both, with the two sums of squares of each pair as its outputs. */
function comparisonProgram(reference: Program, lowered: Program, pairs: readonly MeasuredPair[]): Program {
  const { program: quantized, values } = cloneProgram(lowered);
  // Both programs use the same names of nodes, which ONNX Runtime wants unique; none is needed here.
  for (const node of quantized.allNodes()) node.name = "";
  const emitter = new Emitter();
  const outputs: Value[] = [];
  pairs.forEach(({ float, quantized: { value, grid } }, i) => {
    const scale = grid && emitter.constant("scale", float32([], [grid.scale]));
    const zeroPoint = grid && emitter.constant("zero_point", new Tensor("uint8", [], Uint8Array.of(grid.zeroPoint)));
    const numbers = grid ? emitter.emit("DequantizeLinear", [values.get(value), scale, zeroPoint]) : values.get(value)!;
    const error = emitter.emit("Sub", [float, numbers]);
    outputs.push(squareSum(float, `modicum.signal.${i}`, emitter), squareSum(error, `modicum.noise.${i}`, emitter));
  });
  const inputs = reference.graph.inputs;
  const joined = new Graph("comparison", {
    inputs,
    outputs,
    nodes: [...reference.graph.nodes, ...quantized.graph.nodes, ...emitter.nodes],
  });
  quantized.graph.inputs.forEach((input, i) => {
    joined.replaceUses(input, inputs[i]!);
  });
  const program = new Program(joined, quantized.opsets, quantized.irVersion);
  program.functions = quantized.functions;
  return program;
}

function squareSum(x: Value, output: string, emitter: Emitter): Value {
  const numbers = x.dtype === "float32" ? x : emitter.emit("Cast", [x], { attributes: { to: dtypeCode("float32") } });
  const square = emitter.emit("Mul", [numbers, numbers]);
  const flat = emitter.emit("Reshape", [square, emitter.constant("flat", int64([-1]))]);
  return emitter.emit("ReduceSum", [flat], { output, dtype: "float32", shape: [1], attributes: { keepdims: 1 } });
}
