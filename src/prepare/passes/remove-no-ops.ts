/** Nodes that pass their input on unchanged. */

import type { Graph, Node, Program } from "../../program/index.ts";
import { dtypeCode, toNumbers } from "../../tensor/index.ts";
import { fixedConstant } from "../fixed-constant.ts";
import { padsOf } from "../pads.ts";
import type { Pass } from "../pass.ts";
import { replaceValue } from "../replace-value.ts";

/**
 * Removes Identity, Dropout in inference, casts to the type a value already has, transpositions that keep the order, empty
 * pads, reshapes and flattenings to the shape a value already has, and Concat, Sum, Max, Min and Mean of a single input.
 */
export const removeNoOps: Pass = {
  name: "remove-no-ops",
  summary: "Removes nodes that pass their input on unchanged.",
  run(program) {
    const { graph } = program;
    const removed = new Set<Node>();
    for (const node of graph.nodes) {
      const input = node.inputs[0];
      const output = node.outputs[0];
      if (node.domain !== "" || !input || !output || !isNoOp(node, program)) continue;
      if (replaceValue(graph, output, input)) removed.add(node);
    }
    graph.nodes = graph.nodes.filter((node) => !removed.has(node));
    return removed.size;
  },
};

function isNoOp(node: Node, program: Program): boolean {
  switch (node.operator) {
    case "Identity":
      return true;
    case "Dropout":
      return isInferenceDropout(node, program);
    case "Cast":
      return node.inputs[0]?.dtype !== undefined && node.int("to") === dtypeCode(node.inputs[0].dtype);
    case "Transpose":
      return node.ints("perm")?.every((axis, index) => axis === index) ?? false;
    case "Pad":
      return padsOf(node, program)?.every((count) => count === 0) ?? false;
    case "Reshape":
      return keepsShape(node, program.graph);
    case "Flatten":
      return node.inputs[0]?.shape?.length === 2 && node.int("axis", 1) === 1;
    case "Concat":
    case "Sum":
    case "Max":
    case "Min":
    case "Mean":
      return node.inputs.length === 1;
    default:
      return false;
  }
}

/** Training is an attribute before opset 7, impossible from 7 to 11, and an input (absent: false) from 12 on. */
function isInferenceDropout(node: Node, program: Program): boolean {
  if (node.outputs[1] && program.graph.uses().has(node.outputs[1])) return false;
  if (program.opset < 7) return node.int("is_test", 0) !== 0;
  const training = node.inputs[2];
  if (!training) return true;
  const constant = fixedConstant(training, program.graph);
  return constant !== undefined && toNumbers(constant.load())[0] === 0;
}

/** A reshape to the lengths the value has; one of them may be left to be worked out (-1), or is copied (0). */
function keepsShape(node: Node, graph: Graph): boolean {
  const before = node.inputs[0]?.shape;
  const target = fixedConstant(node.inputs[1], graph);
  if (!before || target?.shape[0] !== before.length) return false;
  const lengths = toNumbers(target.load());
  const copiesZero = node.int("allowzero", 0) === 0;
  return (
    lengths.filter((length) => length === -1).length <= 1 &&
    lengths.every((length, axis) => length === -1 || length === before[axis] || (length === 0 && copiesZero))
  );
}
