/** Cases of running sums and products. */
import { int64 } from "../../src/tensor/index.ts";
import { type GradientCase, normal, numbers, uniform } from "./gradient-case.ts";

const ways = [0, 1].flatMap((exclusive) => [0, 1].map((reverse) => ({ exclusive, reverse })));

/** Running sums and products. */
export const cumulativeCases: readonly GradientCase[] = [
  ...ways.map(
    (attributes, axis): GradientCase => ({
      title: `CumSum ${JSON.stringify(attributes)}`,
      covers: ["CumSum"],
      inputs: [normal([3, 4])],
      build: (ops, x) =>
        ops.emit("CumSum", [ops.square(x), ops.constant(int64([axis % 2 === 0 ? -1 : 0], []))], attributes),
      second: true,
    }),
  ),
  ...ways.map(
    (attributes, axis): GradientCase => ({
      title: `CumProd ${JSON.stringify(attributes)}`,
      covers: ["CumProd"],
      inputs: [uniform([3, 4], 0.6, 1.4)],
      build: (ops, x) => ops.emit("CumProd", [x, ops.constant(int64([axis % 2 === 0 ? -1 : 0], []))], attributes),
      opset: 26,
      second: true,
    }),
  ),
  ...ways.map(
    (attributes): GradientCase => ({
      title: `CumProd of zeros ${JSON.stringify(attributes)}`,
      covers: ["CumProd"],
      inputs: [numbers([4, 4], [0, 2, 3, 4, 2, 0, 3, 4, 2, 0, 3, 0, 2, 3, 4, 0])],
      build: (ops, x) => ops.emit("CumProd", [x, ops.constant(int64([1], []))], attributes),
      opset: 26,
    }),
  ),
];
