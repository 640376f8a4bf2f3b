/** Two programs with the same inputs as one, so that what they compute can be compared inside one run. */
import { type Constant, type Emitter, Graph, Program, type Value } from "../program/index.ts";

/**
 * Joins two programs that read the same inputs, and what is computed from their values. Both programs are used up: their
 * nodes become the joined one's.
 *
 * @param first Gives the inputs their names.
 * @param second Of the opsets that the joined program has.
 * @param emitter Nodes that read values of both.
 */
export function joinPrograms(first: Program, second: Program, emitter: Emitter, outputs: Value[]): Program {
  // Both programs use the same names of nodes, which ONNX Runtime wants unique; none is needed here.
  for (const node of second.allNodes()) node.name = "";
  shareConstants(second, first);
  const { inputs } = first.graph;
  const nodes = [...first.graph.nodes, ...second.graph.nodes, ...emitter.nodes];
  const joined = new Graph("comparison", { inputs, outputs, nodes });
  second.graph.inputs.forEach((input, i) => {
    joined.replaceUses(input, inputs[i]!);
  });
  const program = new Program(joined, second.opsets, second.irVersion);
  program.functions = second.functions;
  return program;
}

/** Makes a copy use the constants of what it was copied from, so that they are in memory once, however many copies there are. */
function shareConstants(copy: Program, original: Program): void {
  const known = new Map<Constant, Value>();
  for (const { inputs } of original.allNodes()) {
    for (const value of inputs) if (value?.constant && !known.has(value.constant)) known.set(value.constant, value);
  }
  for (const { inputs } of copy.allNodes()) {
    inputs.forEach((value, i) => {
      inputs[i] = (value?.constant && known.get(value.constant)) ?? value;
    });
  }
}
