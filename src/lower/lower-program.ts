/** Lowering: from what a program means to the ONNX operators that compute it fastest on a device. */
import { GraphWriter, Ops } from "../build/index.ts";
import { type Node, type Program, removeDeadNodes, type Value } from "../program/index.ts";
import type { Lowering, LoweringTarget } from "./lowering.ts";
import { lowerings } from "./lowerings.ts";

/**
 * Replaces operators of our own domain by ONNX operators, and slow forms by fast ones of the same meaning. Changes the
 * program in place.
 */
export function lowerProgram(program: Program, target: LoweringTarget): void {
  const { graph } = program;
  removeDeadNodes(graph);
  const nodes = graph.nodes;
  graph.nodes = [];
  const writer = new GraphWriter(graph, program.opset);
  const replaced = new Map<Value, Value>();
  const current = (value: Value | undefined): Value | undefined => value && (replaced.get(value) ?? value);
  for (const node of nodes) {
    node.inputs.forEach((input, index) => {
      node.inputs[index] = current(input);
    });
    const results = lowered(node, writer, target);
    if (results === undefined) {
      graph.nodes.push(node);
      continue;
    }
    node.outputs.forEach((output, index) => {
      if (output && results[index]) replaced.set(output, results[index]);
    });
  }
  graph.outputs = graph.outputs.map((output) => current(output)!);
  removeDeadNodes(graph);
  // What is left must be known to the engine: a file that asks for our domain would not load elsewhere.
  program.opsets.delete("modicum");
}

function lowered(node: Node, writer: GraphWriter, target: LoweringTarget): readonly Value[] | undefined {
  const key = node.domain === "" ? node.operator : `${node.domain}:${node.operator}`;
  const lowering: Lowering | undefined = lowerings[key];
  const slash = node.name.lastIndexOf("/");
  return lowering?.(node, new Ops(writer, slash < 0 ? "" : node.name.slice(0, slash)), target);
}
