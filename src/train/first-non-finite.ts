/** Where numbers go wrong: the first value of a step that is not finite. */
import { Ops } from "../build/index.ts";
import { toPortable } from "../lower/index.ts";
import { writeModel } from "../onnx/index.ts";
import { cloneProgram, Node, Value } from "../program/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { isFloat, type Tensor } from "../tensor/index.ts";
import type { TrainStep } from "./train-step.ts";

/**
 * Takes a step once more with a watch on every value, and returns the first that holds infinity or NaN, in the order of
 * execution: `image` for an input, `Conv (stem/Conv_0)` for a node's result. Undefined if all are finite.
 *
 * @param feeds The batch, the learning rate and the variables of the step that failed.
 */
export async function firstNonFinite(
  step: TrainStep,
  feeds: Readonly<Record<string, Tensor>>,
  runtime: Runtime,
): Promise<string | undefined> {
  const { program } = cloneProgram(step.program);
  toPortable(program);
  const { graph } = program;
  const watched = [
    ...graph.inputs.map((value) => ({ value, name: `"${value.name}"` })),
    ...graph.nodes.flatMap((node) => node.outputs.flatMap((value) => (value ? [{ value, name: node.label }] : []))),
  ].filter(({ value }) => isFloat(value.dtype) && value.dtype !== "bfloat16");
  graph.outputs = watched.map(({ value }, index) => {
    // 0 x is NaN for infinity and NaN, and so is a sum with one; a reduction to the extremes would drop NaN.
    const zero = new Ops().scalar(0, value.dtype);
    const product = new Value(`watch_${index}`);
    const sum = new Value(`watched_${index}`, value.dtype, []);
    graph.nodes.push(new Node("Mul", [value, zero], [product]));
    graph.nodes.push(new Node("ReduceSum", [product], [sum], { attributes: { keepdims: 0 } }));
    return sum;
  });
  const session = await runtime.createSession(writeModel(program), { optimization: "disabled" });
  try {
    const used = new Set(session.inputNames);
    const results = await session.run(Object.fromEntries(Object.entries(feeds).filter(([name]) => used.has(name))));
    return watched.find((_, index) => Number.isNaN(numberOf(results[`watched_${index}`]!)))?.name;
  } finally {
    await session.release();
  }
}

function numberOf({ dtype, data }: Tensor): number {
  // NaN in float16 has all exponent bits and some fraction.
  if (dtype === "float16") return ((data[0] as number) & 0x7fff) > 0x7c00 ? Number.NaN : 0;
  return Number(data[0]);
}
