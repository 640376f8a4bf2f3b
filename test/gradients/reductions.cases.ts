/** Cases of reductions. */
import type { Attributes, Ops } from "../../src/build/index.ts";
import type { Value } from "../../src/program/index.ts";
import { int64 } from "../../src/tensor/index.ts";
import { apart, type Draw, distinct, type GradientCase, normal, numbers, uniform } from "./gradient-case.ts";

type Form = readonly [title: string, reduce: (ops: Ops, operator: string, x: Value) => Value, opset?: number];

function withAxes(axes: readonly number[], attributes: Attributes = {}): Form[1] {
  return (ops, operator, x) => ops.emit(operator, [x, ops.constant(int64(axes))], attributes);
}

/** Every way in which axes are given. */
const forms: readonly Form[] = [
  ["over all axes", (ops, operator, x) => ops.emit(operator, [x])],
  ["over all axes, which go", (ops, operator, x) => ops.emit(operator, [x], { keepdims: 0 })],
  ["over negative axes", withAxes([-1, 0])],
  ["over axes that go", withAxes([1], { keepdims: 0 })],
  ["over no axes", withAxes([], { noop_with_empty_axes: 1 })],
  ["over axes that are an attribute", (ops, operator, x) => ops.emit(operator, [x], { axes: [2], keepdims: 0 }), 13],
];

const operators: readonly (readonly [string, Draw])[] = [
  ["ReduceSum", normal([2, 3, 4])],
  ["ReduceMean", normal([2, 3, 4])],
  ["ReduceMax", distinct([2, 3, 4])],
  ["ReduceMin", distinct([2, 3, 4])],
  ["ReduceProd", uniform([2, 3, 4], 0.6, 1.4)],
  ["ReduceL1", apart([2, 3, 4])],
  ["ReduceL2", apart([2, 3, 4])],
  ["ReduceLogSum", uniform([2, 3, 4], 0.4, 2)],
  ["ReduceLogSumExp", normal([2, 3, 4])],
  ["ReduceSumSquare", normal([2, 3, 4])],
];

/** Since operator set 13, the sum alone takes its axes as an input. */
function applies(operator: string, [, , opset]: Form): boolean {
  return opset !== 13 || operator !== "ReduceSum";
}

/** Reductions. */
export const reductionCases: readonly GradientCase[] = [
  ...operators.flatMap(([operator, input]) =>
    forms
      .filter((form) => applies(operator, form))
      .map(
        ([title, reduce, opset], index): GradientCase => ({
          title: `${operator} ${title}`,
          covers: [operator],
          inputs: [input],
          build: (ops, x) => reduce(ops, operator, x),
          second: index === 2,
          ...(title === "over no axes" && {
            skip: { webgpu: "it gives the input back where it should map each element" },
          }),
          ...(opset !== undefined && { opset }),
        }),
      ),
  ),
  {
    title: "ReduceMax of equal elements, which share the gradient",
    covers: ["ReduceMax"],
    inputs: [numbers([2, 3], [1, 3, 3, 2, 2, 2])],
    build: (ops, x) => ops.reduceMax(x, { axes: [1] }),
    closedForm: () => [[0, 1 / 2, 1 / 2, 1 / 3, 1 / 3, 1 / 3]],
    // One-sided slopes differ, so differences see the mean of 0 and 1 at each, whatever the number of equals.
    tolerance: 1,
  },
  {
    title: "ReduceProd where one element is 0, and where two are",
    covers: ["ReduceProd"],
    inputs: [numbers([3, 3], [2, 0, 3, 0, 0, 5, 2, 3, 4])],
    build: (ops, x) => ops.reduceProd(x, { axes: [1] }),
    closedForm: () => [[0, 6, 0, 0, 0, 0, 12, 8, 6]],
  },
  {
    title: "ReduceL2 of zeros has no gradient",
    covers: ["ReduceL2"],
    inputs: [numbers([2, 2], [0, 0, 3, 4])],
    build: (ops, x) => ops.emit("ReduceL2", [x, ops.constant(int64([1]))]),
    closedForm: () => [[0, 0, 3 / 5, 4 / 5]],
    // At the origin the norm has no derivative; central differences see the mean of both sides, which is 0 too.
  },
];
