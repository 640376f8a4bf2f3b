/** Which nodes of a network are batch norms, and what they read. */
import type { Node, Value } from "../program/index.ts";

/** A batch norm as it was written: several nodes of one layer that read the same numbers. */
export interface Normalization {
  readonly x: Value;
  /** Scale and shift, where they are learned. */
  readonly parameters: readonly Value[];
  /** Its nodes that read any of these, in their order. */
  readonly readers: readonly Node[];
  /** The node whose rule is the gradient of them all; absent in use. */
  readonly differentiated: Node | undefined;
}

/** Nodes that leave numbers where they are. */
const VIEWS = new Set(["Reshape", "Transpose", "Identity"]);

/** The batch norms among nodes, by the node that comes first. @param pathOf The layer that a node is of. */
export function findNormalizations(
  nodes: readonly Node[],
  pathOf: (node: Node) => string,
): ReadonlyMap<Node, Normalization> {
  const found = new Map<Node, Normalization>();
  for (const node of nodes) {
    const isTrained = node.operator === "CustomGradient" && isNormalized(node.inputs.at(-node.outputs.length));
    const isUsed = node.operator === "BatchNormalization" && node.int("training_mode", 0) === 0;
    if (!isTrained && !isUsed) continue;
    const [x, ...others] = node.inputs as [Value, Value, Value];
    const parameters = others.slice(0, 2).filter((value) => !value.constant);
    const read = new Set<Value | undefined>([x, ...parameters]);
    const path = pathOf(node);
    const readers = nodes.filter((one) => pathOf(one) === path && one.inputs.some((input) => read.has(input)));
    found.set(readers[0]!, { x, parameters, readers, differentiated: isTrained ? node : undefined });
  }
  return found;
}

function isNormalized(value: Value | undefined): boolean {
  const node = value?.producer;
  if (!node) return false;
  if (node.operator === "Standardize" || node.operator === "BatchNormalization") return true;
  return VIEWS.has(node.operator) && isNormalized(node.inputs[0]);
}
