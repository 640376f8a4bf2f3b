/** Cases of losses. */
import type { Attributes } from "../../src/build/index.ts";
import { int64 } from "../../src/tensor/index.ts";
import { type GradientCase, normal, uniform } from "./gradient-case.ts";

const reductions = ["none", "sum", "mean"];

/** Cases of one loss, over scores or their logarithms. */
function loss(operator: string, outputs: 1 | 2): GradientCase[] {
  const make = (title: string, attributes: Attributes, more: Partial<GradientCase>): GradientCase => ({
    title: `${operator}: ${title}`,
    covers: [operator],
    inputs: [normal([4, 3]), int64([2, 0, 1, 2])],
    build: (ops, ...inputs) => ops.emitAll(operator, inputs, outputs, attributes),
    ...more,
  });
  return [
    ...reductions.map((reduction) => make(reduction, { reduction }, { second: reduction === "mean" })),
    ...reductions.map((reduction) =>
      make(
        `${reduction} over places, weighted, some ignored`,
        { reduction, ignore_index: 1 },
        {
          inputs: [normal([2, 3, 2, 2]), int64([2, 0, 1, 2, 1, 1, 0, 2], [2, 2, 2]), uniform([3], 0.5, 2)],
          second: reduction === "mean",
        },
      ),
    ),
    make(
      "targets that are no class are ignored",
      { ignore_index: -100 },
      { inputs: [normal([4, 3]), int64([2, -100, 1, -100])] },
    ),
    make("negative targets that are ignored", { ignore_index: -1 }, { inputs: [normal([4, 3]), int64([2, -1, 1, 0])] }),
  ];
}

/** Losses. */
export const lossCases: readonly GradientCase[] = [
  ...loss("NegativeLogLikelihoodLoss", 1),
  ...loss("SoftmaxCrossEntropyLoss", 2),
  {
    title: "SoftmaxCrossEntropyLoss: without the logarithms as an output",
    covers: ["SoftmaxCrossEntropyLoss"],
    inputs: [normal([4, 3]), int64([2, 0, 1, 2])],
    build: (ops, ...inputs) => ops.emit("SoftmaxCrossEntropyLoss", inputs),
  },
];
