/** Simplifications: nodes that do nothing, and broadcasts that the next operator makes anyway. */
import type { Ops } from "../build/index.ts";
import { type Node, staticShape, type Value } from "../program/index.ts";
import { arrayOf, type DType, Tensor } from "../tensor/index.ts";
import type { Rewrite } from "./rewrite.ts";

/** Element types whose known numbers are written as constants. */
const FOLDED: ReadonlySet<DType | undefined> = new Set<DType>(["float32", "float64", "int64", "int32", "bool"]);

const BROADCASTING = new Set(["Add", "Sub", "Mul", "Div", "Min", "Max", "Pow", "Where", "Greater", "Less", "Equal"]);

/** Makes programs smaller without changing what they compute. */
export const simplify: Rewrite = (node, ops) => {
  if (node.domain !== "") return undefined;
  return foldKnown(node, ops) ?? dropNode(node, ops) ?? dropExpands(node, ops);
};

/** What follows from constants and shapes alone is a constant. */
function foldKnown(node: Node, ops: Ops): readonly Value[] | undefined {
  const [output] = node.outputs;
  // Small tensors that only repeat a smaller one stay as they are: the next operator may broadcast instead.
  if (node.outputs.length !== 1 || !output || node.subgraphs.length > 0 || node.operator === "Expand") return undefined;
  if (!node.inputs.every((input) => input === undefined || input.constant)) return undefined;
  const { dtype, shape, elements } = ops.writer.inferOutput(node);
  const known = elements?.every((element) => typeof element === "number");
  if (!known || !shape || !FOLDED.has(dtype)) return undefined;
  return [ops.constant(new Tensor(dtype!, shape as readonly number[], dataOf(dtype!, elements as readonly number[])))];
}

function dataOf(dtype: DType, elements: readonly number[]): Tensor["data"] {
  const data = new (arrayOf(dtype))(elements.length);
  const wide = data instanceof BigInt64Array || data instanceof BigUint64Array;
  elements.forEach((element, index) => {
    data[index] = wide ? BigInt(element) : element;
  });
  return data;
}

/** Returns the input that the node gives back unchanged. */
function dropNode(node: Node, ops: Ops): readonly Value[] | undefined {
  const [x, y] = node.inputs;
  const sameShape = (value: Value | undefined) => value && sameLengths(value, node.outputs[0]);
  switch (node.operator) {
    case "Identity":
      return [x!];
    case "Reshape":
    case "Expand":
    case "Squeeze":
    case "Unsqueeze":
    case "Flatten":
      return sameShape(x) ? [x!] : mergedReshape(node, ops);
    case "Transpose":
      return mergedTranspose(node, ops);
    case "Cast":
      return x?.dtype !== undefined && x.dtype === node.outputs[0]?.dtype ? [x] : undefined;
    case "Mul":
      return isAll(y, 1, ops) && sameShape(x) ? [x!] : isAll(x, 1, ops) && sameShape(y) ? [y!] : undefined;
    case "Div":
      return isAll(y, 1, ops) && sameShape(x) ? [x!] : undefined;
    case "Neg":
      return x?.producer?.operator === "Neg" ? [x.producer.input(0)] : undefined;
    case "ReduceSum":
    case "ReduceMean":
      return reducesNothing(node) ? [ops.reshape(x!, ops.shapeOf(node.output()))] : undefined;
    default:
      return undefined;
  }
}

/** Two reshapes in a row are one. */
function mergedReshape(node: Node, ops: Ops): readonly Value[] | undefined {
  const before = node.input(0).producer;
  const shape = staticShape(node.output());
  if (node.operator === "Expand" || before?.domain !== "" || before.operator !== "Reshape" || !shape) return undefined;
  return [ops.reshape(before.input(0), shape)];
}

/** Two transpositions in a row are one or none. */
function mergedTranspose(node: Node, ops: Ops): readonly Value[] | undefined {
  const x = node.input(0);
  const second = node.ints("perm");
  if (second?.every((axis, index) => axis === index)) return [x];
  const first = x.producer?.operator === "Transpose" ? x.producer.ints("perm") : undefined;
  if (!first || !second) return undefined;
  const both = second.map((axis) => first[axis]!);
  const from = x.producer!.input(0);
  return [both.every((axis, index) => axis === index) ? from : ops.transpose(from, both)];
}

/** Uses the small tensor where its expansion would be broadcast to the same result. */
function dropExpands(node: Node, ops: Ops): readonly Value[] | undefined {
  if (!BROADCASTING.has(node.operator) || !node.inputs.some((input) => input?.producer?.operator === "Expand"))
    return undefined;
  const shape = staticShape(node.output());
  if (!shape) return undefined;
  for (const [index, input] of node.inputs.entries()) {
    const expand = input?.producer;
    if (expand?.operator !== "Expand" || expand.domain !== "") continue;
    const others = node.inputs.filter((_, at) => at !== index).map((other) => staticShape(other!));
    // One other operand that has the whole shape keeps the result's shape as it is.
    if (!others.some((other) => other?.join() === shape.join())) continue;
    const inputs = node.inputs.map((other, at) => (at === index ? expand.input(0) : other));
    return [ops.emit(node.operator, inputs, Object.fromEntries(node.attributes))];
  }
  return undefined;
}

function reducesNothing(node: Node): boolean {
  const [from, to] = [staticShape(node.input(0)), staticShape(node.output())];
  return (
    from !== undefined && to !== undefined && from.filter((n) => n !== 1).join() === to.filter((n) => n !== 1).join()
  );
}

function isAll(value: Value | undefined, number: number, ops: Ops): boolean {
  const numbers = value?.constant && ops.numbersOf(value);
  return numbers?.every((element) => element === number) ?? false;
}

function sameLengths(a: Value, b: Value | undefined): boolean {
  const [from, to] = [staticShape(a), b && staticShape(b)];
  return from !== undefined && to !== undefined && from.join() === to.join();
}
