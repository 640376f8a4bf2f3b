/** Cases of arithmetic with broadcasting. */
import { tensorOf } from "../../src/tensor/index.ts";
import { apart, type GradientCase, normal, numbers, uniform } from "./gradient-case.ts";

const positive = uniform([2, 3], 0.4, 2);

/** A power with a constant exponent. */
function power(exponent: number, inputs: GradientCase["inputs"] = [positive]): GradientCase {
  return {
    title: `Pow with the constant exponent ${exponent}`,
    covers: ["Pow"],
    inputs,
    build: (ops, x) => ops.pow(x, exponent),
    closedForm: (x) => [x.map((value) => (exponent === 0 ? 0 : exponent * value ** (exponent - 1)))],
    second: true,
  };
}

/** Arithmetic. */
export const arithmeticCases: readonly GradientCase[] = [
  {
    title: "Add of shapes that broadcast both ways",
    covers: ["Add"],
    inputs: [normal([2, 1, 3]), normal([4, 1])],
    build: (ops, a, b) => ops.add(a, b),
    closedForm: (a, b) => [a.map(() => 4), b.map(() => 6)],
  },
  {
    title: "Add of a value to itself",
    covers: ["Add"],
    inputs: [normal([2, 3])],
    build: (ops, a) => ops.add(a, a),
    closedForm: (a) => [a.map(() => 2)],
  },
  {
    title: "Sum of three operands",
    covers: ["Sum"],
    inputs: [normal([2, 3]), normal([3]), normal([])],
    build: (ops, ...terms) => ops.emit("Sum", terms),
  },
  {
    title: "Mean of three operands",
    covers: ["Mean"],
    inputs: [normal([2, 3]), normal([3]), normal([])],
    build: (ops, ...terms) => ops.emit("Mean", terms),
  },
  {
    title: "Sub of shapes that broadcast",
    covers: ["Sub"],
    inputs: [normal([2, 3]), normal([3])],
    build: (ops, a, b) => ops.sub(a, b),
    closedForm: (a, b) => [a.map(() => 1), b.map(() => -2)],
  },
  {
    title: "Mul of shapes that broadcast",
    covers: ["Mul"],
    inputs: [normal([2, 3]), normal([2, 1])],
    build: (ops, a, b) => ops.mul(a, b),
    second: true,
  },
  {
    title: "Div of shapes that broadcast",
    covers: ["Div"],
    inputs: [normal([2, 3]), apart([3])],
    build: (ops, a, b) => ops.div(a, b),
    second: true,
  },
  {
    title: "Div by a constant and of a constant",
    covers: ["Div"],
    inputs: [positive],
    build: (ops, x) => ops.div(2, ops.div(x, 4)),
    closedForm: (x) => [x.map((value) => -8 / value ** 2)],
    second: true,
  },
  {
    title: "Mod with fmod, of both signs",
    covers: ["Mod"],
    inputs: [numbers([6], [1.3, -1.3, 2.6, -2.6, 0.4, 3.3]), numbers([6], [0.5, 0.5, -0.7, -0.7, 1, 1])],
    build: (ops, a, b) => ops.emit("Mod", [a, b], { fmod: 1 }),
    closedForm: (a, b) => [a.map(() => 1), a.map((value, index) => -Math.trunc(value / b[index]!))],
  },
  power(0),
  power(1),
  power(2),
  power(3),
  power(0.5),
  power(-1.5),
  { ...power(4, [apart([2, 3])]), title: "Pow of negative numbers" },
  {
    title: "Pow with an exponent per column",
    covers: ["Pow"],
    inputs: [positive, normal([3])],
    build: (ops, a, b) => ops.pow(a, b),
    second: true,
  },
  {
    title: "Pow with exponents that are known, 0 among them, of bases that are 0",
    covers: ["Pow"],
    inputs: [numbers([4], [0, 0.5, 0, 0.7])],
    build: (ops, a) => ops.pow(a, ops.constant(tensorOf(a.dtype!, [4], [0, 0, 4, 2.5]))),
    closedForm: () => [[0, 0, 0, 2.5 * 0.7 ** 1.5]],
  },
  {
    title: "Pow with exponents of another element type",
    covers: ["Pow"],
    inputs: [positive],
    build: (ops, a) => ops.pow(a, ops.constant(tensorOf("int32", [3], [2, 3, -1]))),
    second: true,
  },
];
