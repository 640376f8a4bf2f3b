/** Where numbers go wrong: the first value of a step that is not finite. */
import { Ops } from "../build/index.ts";
import { toPortable } from "../lower/index.ts";
import { writeModel } from "../onnx/index.ts";
import { cloneProgram, type Graph, Node, Value } from "../program/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { isFloat, type Tensor } from "../tensor/index.ts";
import type { TrainStep } from "./train-step.ts";

/**
 * Takes a step once more with a watch on every value, and returns the first that holds infinity or NaN, in the order of
 * execution: `"image"` for an input, `Conv (stem/Conv_0)` for a node's result. Undefined if all are finite. Each value is
 * reduced to one number where it is computed, so this takes no more memory than the step.
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
  const watches = new Watches().ofGraph(program.graph);
  program.graph.outputs = watches.map(({ sum }) => sum);
  const session = await runtime.createSession(writeModel(program), { optimization: "disabled" });
  try {
    const used = new Set(session.inputNames);
    const results = await session.run(Object.fromEntries(Object.entries(feeds).filter(([name]) => used.has(name))));
    return watches.find(({ sum }) => hasNaN(results[sum.name]!))?.name;
  } finally {
    await session.release();
  }
}

/** A value that is watched: `sum` is NaN where it is not finite, one number for each time it was computed. */
interface Watch {
  readonly name: string;
  readonly sum: Value;
}

/** Adds watches to graphs. */
class Watches {
  #made = 0;

  /** Watches every value of a graph; those of a loop come before its results. */
  ofGraph(graph: Graph): Watch[] {
    const watches: Watch[] = [];
    for (const input of graph.inputs) watches.push(...this.#ofValue(input, `"${input.name}"`, graph));
    for (const node of [...graph.nodes]) {
      const results = [...node.outputs];
      if (node.operator === "Loop") watches.push(...this.#ofLoop(node));
      for (const output of results) if (output) watches.push(...this.#ofValue(output, node.label, graph));
    }
    return watches;
  }

  /** Watches the values of a loop's body; what they sum to comes out as further results of the loop. */
  #ofLoop(loop: Node): Watch[] {
    const [body] = loop.subgraphs;
    return this.ofGraph(body!).map(({ name, sum }) => {
      body!.outputs.push(sum);
      const trace = new Value(`trace.${sum.name}`);
      trace.producer = loop;
      loop.outputs.push(trace);
      return { name, sum: trace };
    });
  }

  #ofValue(value: Value, name: string, graph: Graph): Watch[] {
    if (!isFloat(value.dtype) || value.dtype === "bfloat16") return [];
    const number = this.#made++;
    // 0 x is NaN for infinity and NaN, and so is a sum with one; a reduction to the extremes would drop NaN.
    const zero = new Ops().scalar(0, value.dtype);
    const product = new Value(`watch_${number}`);
    const sum = new Value(`watched_${number}`, value.dtype, []);
    graph.nodes.push(new Node("Mul", [value, zero], [product]));
    graph.nodes.push(new Node("ReduceSum", [product], [sum], { attributes: { keepdims: 0 } }));
    return [{ name, sum }];
  }
}

function hasNaN({ dtype, data }: Tensor): boolean {
  // NaN in float16 has all exponent bits and some fraction.
  if (dtype === "float16") return Array.from(data as Uint16Array).some((bits) => (bits & 0x7fff) > 0x7c00);
  return Array.from(data as Float32Array).some(Number.isNaN);
}
