/** Cases of operators that choose between numbers. */
import { apart, booleans, distinct, type GradientCase, normal, numbers } from "./gradient-case.ts";

/** Choices. */
export const choiceCases: readonly GradientCase[] = [
  {
    title: "Where with branches that broadcast",
    covers: ["Where"],
    inputs: [booleans([2, 3], [1, 0, 0, 1, 1, 0]), normal([2, 1]), normal([3])],
    build: (ops, condition, a, b) => ops.where(condition, a, b),
    closedForm: () => [
      [1, 2],
      [0, 1, 2],
    ],
  },
  {
    title: "Where with a condition that broadcasts",
    covers: ["Where"],
    inputs: [booleans([3], [1, 0, 1]), normal([2, 3]), normal([2, 3])],
    build: (ops, condition, a, b) => ops.where(condition, ops.square(a), ops.sin(b)),
    second: true,
  },
  {
    title: "Max of three operands that broadcast",
    covers: ["Max"],
    inputs: [distinct([2, 3]), normal([3]), normal([])],
    build: (ops, ...operands) => ops.emit("Max", operands),
  },
  {
    title: "Min of two operands",
    covers: ["Min"],
    inputs: [normal([2, 3]), distinct([2, 1])],
    build: (ops, a, b) => ops.min(ops.square(a), b),
    second: true,
  },
  {
    title: "Max of one operand",
    covers: ["Max"],
    inputs: [normal([2, 3])],
    build: (ops, a) => ops.emit("Max", [a]),
  },
  {
    // Central differences see the mean of both sides, which is what sharing gives.
    title: "Max of operands that are equal, which share the gradient",
    covers: ["Max"],
    inputs: [numbers([3], [1, 2, 3]), numbers([3], [1, 1, 3.5])],
    build: (ops, a, b) => ops.max(a, b),
    closedForm: () => [
      [0.5, 1, 0],
      [0.5, 0, 1],
    ],
  },
  {
    title: "Clip with bounds that are trained",
    covers: ["Clip"],
    inputs: [apart([2, 8], [-0.7, 0.9]), numbers([], [-0.7]), numbers([], [0.9])],
    build: (ops, x, low, high) => ops.clip(x, low, high),
  },
  {
    title: "Clip with a lower bound only",
    covers: ["Clip"],
    inputs: [apart([2, 4], [0.3])],
    build: (ops, x) => ops.square(ops.clip(x, 0.3)),
    second: true,
  },
  {
    title: "Clip with an upper bound only",
    covers: ["Clip"],
    inputs: [apart([2, 4], [0.3])],
    build: (ops, x) => ops.clip(x, undefined, 0.3),
  },
  {
    title: "Clip without bounds",
    covers: ["Clip"],
    inputs: [normal([3])],
    build: (ops, x) => ops.clip(x),
    closedForm: () => [[1, 1, 1]],
  },
];
