/** Cases of arithmetic with broadcasting. */
import { type GradientCase, normal } from "./gradient-case.ts";

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
    title: "Sum of three operands",
    covers: ["Sum"],
    inputs: [normal([2, 3]), normal([3]), normal([])],
    build: (ops, ...terms) => ops.emit("Sum", terms),
  },
  {
    title: "Sub of shapes that broadcast",
    covers: ["Sub"],
    inputs: [normal([2, 3]), normal([3])],
    build: (ops, a, b) => ops.sub(a, b),
  },
  {
    title: "Mul of shapes that broadcast",
    covers: ["Mul"],
    inputs: [normal([2, 3]), normal([2, 1])],
    build: (ops, a, b) => ops.mul(a, b),
    second: true,
  },
];
