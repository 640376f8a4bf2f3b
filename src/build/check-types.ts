/** Element types that must agree: shape rules do not look at them, the engine refuses them late and in its own words. */
import { DTypeError } from "../errors.ts";
import type { Node } from "../program/index.ts";

/** Inputs that must have one element type, by operator. */
const ALL = (node: Node): number[] => node.inputs.map((_, index) => index);
const FIRST_TWO = (): number[] => [0, 1];

const SAME_TYPE: ReadonlyMap<string, (node: Node) => number[]> = new Map([
  ...["Add", "Sub", "Mul", "Div", "Mod", "Min", "Max", "Sum", "Mean", "MatMul", "Gemm", "Conv", "ConvTranspose"].map(
    (name) => [name, ALL] as const,
  ),
  ...["Concat", "Einsum", "And", "Or", "Xor", "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Clip"].map(
    (name) => [name, ALL] as const,
  ),
  ...["PRelu", "LayerNormalization", "ConvInputGradient", "ConvWeightGradient", "ReluGradient"].map(
    (name) => [name, FIRST_TWO] as const,
  ),
  ["Where", () => [1, 2]],
  ["ScatterElements", () => [0, 2]],
  ["ScatterND", () => [0, 2]],
]);

/** @throws DTypeError if inputs that must have one element type have several. */
export function assertSameTypes(node: Node): void {
  const indices = SAME_TYPE.get(node.operator)?.(node) ?? [];
  const dtypes = indices.flatMap((index) => node.inputs[index]?.dtype ?? []);
  if (new Set(dtypes).size <= 1) return;
  throw new DTypeError(
    `${node.label}: operands must have one element type, got ${dtypes.join(" and ")}. Convert with cast.`,
  );
}
