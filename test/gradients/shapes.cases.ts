/** Cases of operators that give the same elements another shape. */
import { int64 } from "../../src/tensor/index.ts";
import { type GradientCase, normal } from "./gradient-case.ts";

/** Reshape and its kin. */
export const shapeCases: readonly GradientCase[] = [
  {
    title: "Reshape with a copied and an open length",
    covers: ["Reshape"],
    inputs: [normal([2, 3, 4])],
    build: (ops, x) => ops.reshape(x, [0, -1, 2]),
    closedForm: (x) => [x.map(() => 1)],
  },
  {
    title: "Squeeze of given axes",
    covers: ["Squeeze"],
    inputs: [normal([1, 3, 1, 2])],
    build: (ops, x) => ops.squeeze(x, [0, -2]),
  },
  {
    title: "Squeeze of all axes of length 1",
    covers: ["Squeeze"],
    inputs: [normal([1, 3, 1])],
    build: (ops, x) => ops.emit("Squeeze", [x]),
  },
  {
    title: "Unsqueeze at both ends",
    covers: ["Unsqueeze"],
    inputs: [normal([3, 2])],
    build: (ops, x) => ops.unsqueeze(x, [0, -1]),
  },
  {
    title: "Flatten at a negative axis",
    covers: ["Flatten"],
    inputs: [normal([2, 3, 2])],
    build: (ops, x) => ops.emit("Flatten", [x], { axis: -1 }),
  },
  {
    title: "Flatten of everything into one row",
    covers: ["Flatten"],
    inputs: [normal([2, 3])],
    build: (ops, x) => ops.emit("Flatten", [x], { axis: 0 }),
  },
  {
    title: "Reshape of a scalar",
    covers: ["Reshape"],
    inputs: [normal([])],
    build: (ops, x) => ops.emit("Reshape", [x, ops.constant(int64([1, 1]))]),
  },
];
