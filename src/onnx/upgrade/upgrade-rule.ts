/** The contract of upgrade rules: what changes when an operator passes from one version to the next. */
import type { Node, Program, Value } from "../../program/index.ts";
import { constantValue } from "../../program/index.ts";
import { type DType, isFloat, numberToBfloat16, numberToHalf, Tensor } from "../../tensor/index.ts";

/** What rules may do besides changing their node. */
export interface UpgradeContext {
  /** Refuses the upgrade, with what must hold and what came; all refusals are reported together. */
  refuse(node: Node, reason: string): void;
  /** The float type that a program computes in, for values whose type is unknown; undefined when it has several. */
  readonly floatType: DType | undefined;
}

/**
 * Makes a node mean, at the rule's version, what it meant before: changes it in place and returns undefined, or returns the
 * nodes to put in its place, in execution order.
 */
export type UpgradeRule = (node: Node, context: UpgradeContext) => readonly Node[] | undefined;

/** Sets a node's input, filling with missing ones before it. */
export function setInput(node: Node, index: number, value: Value): void {
  while (node.inputs.length < index) node.inputs.push(undefined);
  node.inputs[index] = value;
}

/** Makes a constant input of a node, named after the node and its role. */
export function constantInput(node: Node, role: string, tensor: Tensor): Value {
  return constantValue(`${node.name || node.outputs[0]?.name || node.operator}_${role}`, tensor);
}

/** Returns a scalar of the type a node's first input has; undefined, the node refused, when that is not known. */
export function scalarLike(node: Node, x: number, context: UpgradeContext): Tensor | undefined {
  const dtype = node.inputs[0]?.dtype ?? context.floatType;
  switch (dtype) {
    case "float32":
      return new Tensor(dtype, [], Float32Array.of(x));
    case "float64":
      return new Tensor(dtype, [], Float64Array.of(x));
    case "float16":
      return new Tensor(dtype, [], Uint16Array.of(numberToHalf(x)));
    case "bfloat16":
      return new Tensor(dtype, [], Uint16Array.of(numberToBfloat16(x)));
    default:
      context.refuse(
        node,
        `the element type of its input must be a known float type, got ${dtype ?? "an unknown one"}`,
      );
      return undefined;
  }
}

/** Returns the one float type that a program's inputs and constants have; undefined when they have several or none. */
export function floatTypeOf(program: Program): DType | undefined {
  const types = new Set<DType>();
  const see = (dtype: DType | undefined): void => {
    if (dtype && isFloat(dtype)) types.add(dtype);
  };
  for (const value of [...program.graph.inputs, ...program.graph.initializers]) see(value.dtype);
  for (const node of program.allNodes()) {
    for (const input of node.inputs) see(input?.dtype);
    for (const attribute of node.attributes.values()) if (attribute.kind === "tensor") see(attribute.value.dtype);
  }
  return types.size === 1 ? [...types][0] : undefined;
}
