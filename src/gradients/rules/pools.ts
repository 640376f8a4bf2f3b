/** Gradients of pools. */
import type { GradientRule } from "../../build/index.ts";
import type { Value } from "../../program/index.ts";
import { throughDecomposition } from "./through-decomposition.ts";

/** Each window's gradient goes to its largest element, the first of equal ones. */
const maxPool: GradientRule = ({ node, ops, dy }) => [
  ops.emit("MaxPoolGradient", [dy, node.input(0), node.output()], Object.fromEntries(node.attributes), {
    domain: "modicum",
  }),
];

/** Linear in dy: reads where the other adds. Which elements are the largest does not change with x nearby. */
const maxPoolGradient: GradientRule = ({ node, ops, dy: g }) => {
  const x = node.input(1);
  const places = ops.emitAll("MaxPool", [x], 2, Object.fromEntries(node.attributes))[1]!;
  const flat = (value: Value) => ops.reshape(value, [-1]);
  return [ops.reshape(ops.gatherElements(flat(g), flat(places), 0), ops.shapeOf(places))];
};

/** Pools. */
export const pools: Readonly<Record<string, GradientRule>> = {
  MaxPool: maxPool,
  "modicum:MaxPoolGradient": maxPoolGradient,
  AveragePool: throughDecomposition,
  LpPool: throughDecomposition,
  GlobalAveragePool: throughDecomposition,
  GlobalMaxPool: throughDecomposition,
  GlobalLpPool: throughDecomposition,
  MaxUnpool: throughDecomposition,
  Col2Im: throughDecomposition,
};
