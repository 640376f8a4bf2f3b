/** Cases of operators without gradient, of conversions, of dropout and of the determinant. */
import { dtypeCode, int64, Tensor } from "../../src/tensor/index.ts";
import { apart, booleans, type GradientCase, normal, numbers } from "./gradient-case.ts";

const halves = [-1.5, -0.5, 0.5, 1.5];

/** A case whose result is a comparison or a position, times something that has a gradient. */
function discrete(operator: string, operands: 1 | 2): GradientCase {
  return {
    title: `${operator} has no gradient`,
    covers: [operator],
    inputs: [apart([2, 4], [-1, 0, 1]), normal([4], 0.01)],
    build: (ops, a, b) => ops.mul(ops.sin(a), ops.cast(ops.emit(operator, operands === 1 ? [a] : [a, b]), a.dtype!)),
  };
}

/** A case of a function that is constant between its jumps. */
function step(operator: string, kinks: readonly number[]): GradientCase {
  return {
    title: `${operator} has no gradient`,
    covers: [operator],
    inputs: [apart([2, 4], kinks)],
    build: (ops, x) => ops.add(ops.sin(x), ops.emit(operator, [x])),
    closedForm: (x) => [x.map(Math.cos)],
  };
}

/** Logic of two comparisons. */
function logic(operator: string): GradientCase {
  return {
    title: `${operator} has no gradient`,
    covers: [operator],
    inputs: [apart([2, 4])],
    build: (ops, x) => {
      const [above, below] = [ops.greater(x, 0), ops.less(x, -1)];
      const both = ops.emit(operator, operator === "Not" ? [above] : [above, below]);
      return ops.mul(ops.sin(x), ops.cast(both, x.dtype!));
    },
  };
}

/** What has no gradient. */
const withoutGradient: readonly GradientCase[] = [
  step("Sign", [0]),
  step("Floor", [-2, -1, 0, 1, 2]),
  step("Ceil", [-2, -1, 0, 1, 2]),
  step("Round", halves),
  step("Hardmax", []),
  ...["Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"].map((name) => discrete(name, 2)),
  ...["IsNaN", "IsInf"].map((name) => discrete(name, 1)),
  ...["And", "Or", "Xor", "Not"].map(logic),
  ...["ArgMax", "ArgMin"].map(
    (operator): GradientCase => ({
      title: `${operator} has no gradient`,
      covers: [operator],
      inputs: [numbers([2, 3], [1, 3, 2, 6, 4, 5])],
      build: (ops, x) => ops.mul(ops.sin(x), ops.cast(ops.emit(operator, [x], { axis: 1 }), x.dtype!)),
    }),
  ),
  ...["Shape", "Size"].map(
    (operator): GradientCase => ({
      title: `${operator} has no gradient`,
      covers: [operator],
      inputs: [normal([2])],
      build: (ops, x) => ops.mul(ops.sin(x), ops.cast(ops.emit(operator, [x]), x.dtype!)),
    }),
  ),
  {
    title: "NonZero has no gradient",
    covers: ["NonZero"],
    inputs: [apart([4])],
    build: (ops, x) => ops.mul(ops.sin(x), ops.cast(ops.reduceSum(ops.emit("NonZero", [ops.greater(x, 0)])), x.dtype!)),
  },
  ...["RandomNormalLike", "RandomUniformLike", "Bernoulli", "EyeLike"].map(
    (operator): GradientCase => ({
      title: `${operator} has no gradient`,
      covers: [operator],
      inputs: [numbers([1, 3], [0.2, 0.5, 0.7])],
      // What is drawn is multiplied by 0: differences of random numbers say nothing.
      build: (ops, x) => ops.add(ops.sin(x), ops.mul(ops.emit(operator, [x]), 0)),
      closedForm: (x) => [x.map(Math.cos)],
    }),
  ),
];

/** Marks, conversions, dropout, determinants. */
export const otherCases: readonly GradientCase[] = [
  ...withoutGradient,
  {
    title: "Identity",
    covers: ["Identity"],
    inputs: [normal([2, 3])],
    build: (ops, x) => ops.identity(x),
    closedForm: (x) => [x.map(() => 1)],
  },
  {
    title: "stopGradient counts as a constant, whatever it was computed by",
    covers: ["modicum:StopGradient"],
    inputs: [normal([2, 3])],
    build: (ops, x) => ops.mul(x, ops.stopGradient(ops.square(x))),
    closedForm: (x) => [x.map((value) => value ** 2)],
    // Differences see what the gradient is told not to.
    tolerance: Number.POSITIVE_INFINITY,
  },
  {
    title: "Quantized is passed straight through, clipped numbers included",
    covers: ["modicum:Quantized"],
    inputs: [normal([2, 3])],
    build: (ops, x) =>
      ops.emit("Quantized", [x, ops.scalar(0.5, "float64")], { lowest: -1, highest: 1 }, { domain: "modicum" }),
    closedForm: (x) => [x.map(() => 1)],
    // Differences see the steps of the grid.
    tolerance: Number.POSITIVE_INFINITY,
  },
  {
    title: "Cast between floats",
    covers: ["Cast"],
    inputs: [normal([2, 3])],
    build: (ops, x) => ops.square(ops.emit("Cast", [ops.mul(x, 2)], { to: dtypeCode(x.dtype!) })),
    second: true,
  },
  {
    title: "Cast to a narrower float passes the gradient, rounded",
    covers: ["Cast"],
    inputs: [numbers([3], [0.5, 0.25, -0.75])],
    build: (ops, x) => ops.cast(ops.cast(x, "float32"), x.dtype!),
    closedForm: () => [[1, 1, 1]],
    // Rounding to float32 is a staircase: differences over 1e-3 are right to 1e-7 / 1e-3. So are the weights.
    tolerance: 1e-3,
  },
  {
    title: "Cast to an integer ends the gradient",
    covers: ["Cast"],
    inputs: [apart([5], [-2, -1, 0, 1, 2])],
    build: (ops, x) => ops.mul(x, ops.cast(ops.cast(x, "int64"), x.dtype!)),
    closedForm: (x) => [x.map(Math.trunc)],
  },
  {
    title: "CastLike",
    covers: ["CastLike"],
    inputs: [normal([2, 3]), normal([1])],
    build: (ops, x, like) => ops.emit("CastLike", [x, like]),
    closedForm: (x) => [x.map(() => 1), [0]],
  },
  {
    title: "Dropout at inference",
    covers: ["Dropout"],
    inputs: [normal([2, 3])],
    build: (ops, x) => ops.emitAll("Dropout", [x], 2),
    closedForm: (x) => [x.map(() => 1)],
  },
  {
    // Nothing is dropped, so that it is the same in every run; what training drops is in dropout.test.ts.
    title: "Dropout in training with ratio 0",
    covers: ["Dropout"],
    inputs: [normal([2, 3])],
    build: (ops, x) =>
      ops.emit("Dropout", [x, ops.scalar(0, x.dtype!), ops.constant(new Tensor("bool", [], Uint8Array.of(1)))]),
  },
  {
    title: "Dropout that is told at run time not to train",
    covers: ["Dropout"],
    inputs: [normal([2, 3]), booleans([], [0])],
    build: (ops, x, training) => ops.emit("Dropout", [x, ops.scalar(0.3, x.dtype!), training]),
  },
  {
    title: "Det of several matrices",
    covers: ["Det"],
    inputs: [normal([2, 3, 3])],
    build: (ops, x) => ops.emit("Det", [x]),
    second: true,
  },
  {
    title: "Det of 2 by 2",
    covers: ["Det"],
    inputs: [numbers([2, 2], [1, 2, 3, 4])],
    build: (ops, x) => ops.emit("Det", [x]),
    closedForm: () => [[4, -3, -2, 1]],
  },
  {
    title: "Det of 4 by 4, singular",
    covers: ["Det"],
    inputs: [numbers([4, 4], [1, 2, 3, 4, 2, 4, 6, 8, 0, 1, 1, 3, 5, 1, 0, 2])],
    build: (ops, x) => ops.emit("Det", [x]),
  },
  {
    title: "Det of 1 by 1",
    covers: ["Det"],
    inputs: [normal([2, 1, 1])],
    build: (ops, x) => ops.emit("Det", [ops.square(x)]),
    second: true,
  },
  {
    title: "a gradient with respect to a value that another input is computed from",
    covers: [],
    inputs: [normal([3])],
    build: (ops, x) => ops.add(ops.gather(ops.square(x), ops.constant(int64([0, 2]))), ops.reduceSum(x)),
  },
];
