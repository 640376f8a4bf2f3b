/** Sums, pools, concatenations and element moves between integer layers, on codes. */
import { Node, type Value } from "../../program/index.ts";
import { Tensor } from "../../tensor/index.ts";
import { MOVING_OPERATORS } from "../activation-plan.ts";
import type { IntegerEmitter } from "./integer-emitter.ts";

/** Writes a node on codes if it can; returns whether it did. */
export type NodeRule = (node: Node, integers: IntegerEmitter) => boolean;

const MICROSOFT = "com.microsoft";

/** Add of two quantized tensors as QLinearAdd. */
const add: NodeRule = (node, integers) => {
  const [a, b] = node.inputs;
  const sum = integers.stored(node.output());
  if (!a || !b || !sum || !integers.hasCodes(a) || !integers.hasCodes(b)) return false;
  const inputs = [a, b].flatMap((value) => [integers.codes(value), ...integers.quantization(value)]);
  const outputs = integers.quantization(sum);
  integers.emitter.append(
    new Node("QLinearAdd", [...inputs, ...outputs], [integers.newCodes(sum)], { domain: MICROSOFT, name: node.name }),
  );
  return true;
};

/** Average pools as their QLinear forms. */
const pool: NodeRule = (node, integers) => {
  const x = node.input(0);
  const result = integers.stored(node.output());
  if (!result || !integers.hasCodes(x)) return false;
  const inputs = [integers.codes(x), ...integers.quantization(x), ...integers.quantization(result)];
  const made = new Node(`QLinear${node.operator}`, inputs, [integers.newCodes(result)], {
    domain: MICROSOFT,
    name: node.name,
  });
  for (const [name, attribute] of node.attributes) made.attributes.set(name, attribute);
  made.set("channels_last", 0);
  integers.emitter.append(made);
  return true;
};

/** Concatenation of parts that share one grid: the codes side by side. */
const concatenate: NodeRule = (node, integers) => {
  const parts = integers.plan.activations.concatenations.get(node.output());
  if (!parts?.every((part) => integers.hasCodes(part))) return false;
  const made = new Node("Concat", parts.map((part) => integers.codes(part)), [integers.newCodes(node.output())], { name: node.name }); // biome-ignore format: one node
  for (const [name, attribute] of node.attributes) made.attributes.set(name, attribute);
  integers.emitter.append(made);
  return true;
};

/** Element moves: the same operator on the codes. */
const move: NodeRule = (node, integers) => {
  const x = node.input(0);
  if (integers.plan.activations.sameGridAs.get(node.output()) !== x || !integers.hasCodes(x)) return false;
  const others = node.inputs.slice(1).map((input) => input && integers.float(input));
  // Zero is the zero point's code: that is what Pad has to fill with.
  const inputs =
    node.operator === "Pad" ? [integers.codes(x), others[0], padCode(x, integers)] : [integers.codes(x), ...others];
  const made = new Node(node.operator, inputs, [integers.newCodes(node.output())], { name: node.name });
  for (const [name, attribute] of node.attributes) made.attributes.set(name, attribute);
  integers.emitter.append(made);
  return true;
};

function padCode(x: Value, integers: IntegerEmitter): Value {
  return integers.emitter.constant("pad_code", new Tensor("uint8", [], Uint8Array.of(integers.grid(x)!.zeroPoint)));
}

/** The rules by operator. */
export const integerNodeRules: ReadonlyMap<string, NodeRule> = new Map<string, NodeRule>([
  ["Add", add],
  ["AveragePool", pool],
  ["GlobalAveragePool", pool],
  ["Concat", concatenate],
  ...[...MOVING_OPERATORS].map((operator): [string, NodeRule] => [operator, move]),
]);
