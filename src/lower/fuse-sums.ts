/** Sums with a matrix product: Gemm adds to what is there already, so that the sum takes no pass of its own. */
import type { Ops } from "../build/index.ts";
import { type Node, type Program, staticShape, type Value } from "../program/index.ts";
import { rewriteProgram } from "./rewrite.ts";

/**
 * Writes `factor x + A B` as one Gemm where nobody else reads the product, as in the velocity of SGD. Changes the program in
 * place.
 */
export function fuseSums(program: Program): void {
  const uses = program.graph.uses();
  const isReadOnce = (value: Value) => uses.get(value)?.length === 1;
  rewriteProgram(program, (node, ops) => {
    if (node.operator !== "Add" || node.domain !== "") return undefined;
    const [a, b] = [node.input(0), node.input(1)];
    const [product, other] = isOpenProduct(a) && isReadOnce(a) ? [a, b] : [b, a];
    if (!isOpenProduct(product) || !isReadOnce(product) || !sameShape(product, other)) return undefined;
    const gemm = product.producer!;
    const { x, factor } = isReadOnce(other) ? withoutFactor(other, ops) : { x: other, factor: 1 };
    const attributes = { ...Object.fromEntries(gemm.attributes), beta: { float: factor } };
    return [ops.emit("Gemm", [gemm.input(0), gemm.input(1), x], attributes)];
  });
}

/** Whether a value is a product that Gemm has not added anything to yet. */
function isOpenProduct({ producer }: Value): boolean {
  return producer?.operator === "Gemm" && producer.domain === "" && producer.inputs[2] === undefined;
}

/** Splits `x factor` with a known number. */
function withoutFactor(value: Value, ops: Ops): { readonly x: Value; readonly factor: number } {
  const node: Node | undefined = value.producer;
  if (node?.operator === "Mul" && node.domain === "") {
    for (const [x, scalar] of [
      [node.input(0), node.input(1)],
      [node.input(1), node.input(0)],
    ] as const) {
      const numbers = scalar.constant && ops.numbersOf(scalar);
      if (numbers?.length === 1 && sameShape(x, value)) return { x, factor: numbers[0]! };
    }
  }
  return { x: value, factor: 1 };
}

function sameShape(a: Value, b: Value): boolean {
  return staticShape(a) !== undefined && staticShape(a)?.join() === staticShape(b)?.join();
}
