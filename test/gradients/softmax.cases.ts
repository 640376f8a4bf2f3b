/** Cases of normalized exponentials. */
import { type GradientCase, normal, numbers } from "./gradient-case.ts";

/** Softmax and its logarithm. */
export const softmaxCases: readonly GradientCase[] = [
  ...["Softmax", "LogSoftmax"].flatMap((operator) =>
    [undefined, 1, -3].map(
      (axis): GradientCase => ({
        title: `${operator} over ${axis === undefined ? "the last axis" : `axis ${axis}`}`,
        covers: [operator],
        inputs: [normal([2, 3, 4])],
        build: (ops, x) => ops.emit(operator, [x], { axis }),
        second: axis === 1,
      }),
    ),
  ),
  {
    title: "LogSoftmax of large numbers",
    covers: ["LogSoftmax"],
    inputs: [numbers([1, 3], [1000, 1001, 1002])],
    build: (ops, x) => ops.logSoftmax(x),
    // The numbers have 4 digits less than 1, and so have their differences.
    tolerance: 1e-6,
  },
];
