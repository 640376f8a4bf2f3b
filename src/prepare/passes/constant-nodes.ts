/** Constant nodes: initializers written in another way. */
import { type Attribute, type Constant, constantOf, type Node } from "../../program/index.ts";
import { Tensor } from "../../tensor/index.ts";
import type { Pass } from "../pass.ts";

/** Makes an initializer of every Constant node, whichever of its attributes holds the numbers. Sparse tensors stay nodes. */
export const constantNodes: Pass = {
  name: "constant-nodes",
  summary: "Makes initializers of Constant nodes.",
  run({ graph }) {
    const outputs = new Set(graph.outputs);
    const kept: Node[] = [];
    for (const node of graph.nodes) {
      const constant = node.operator === "Constant" && node.domain === "" ? constantOfNode(node) : undefined;
      const output = node.outputs[0];
      if (!constant || !output || outputs.has(output)) {
        kept.push(node);
        continue;
      }
      output.constant = constant;
      output.producer = undefined;
      output.dtype = constant.dtype;
      output.shape = constant.shape;
    }
    const changes = graph.nodes.length - kept.length;
    graph.nodes = kept;
    return changes;
  },
};

function constantOfNode(node: Node): Constant | undefined {
  const [[name, attribute] = []] = node.attributes;
  return name === undefined || attribute === undefined || node.attributes.size !== 1
    ? undefined
    : constantOfAttribute(attribute);
}

function constantOfAttribute(attribute: Attribute): Constant | undefined {
  switch (attribute.kind) {
    case "tensor":
      return attribute.value;
    case "float":
      return constantOf(new Tensor("float32", [], Float32Array.of(attribute.value)));
    case "floats":
      return constantOf(new Tensor("float32", [attribute.value.length], Float32Array.from(attribute.value)));
    case "int":
      return constantOf(new Tensor("int64", [], BigInt64Array.of(attribute.value)));
    case "ints":
      return constantOf(new Tensor("int64", [attribute.value.length], BigInt64Array.from(attribute.value)));
    default:
      return undefined;
  }
}
