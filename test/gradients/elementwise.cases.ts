/** Cases of functions of one number. */
import { apart, type Draw, type GradientCase, uniform } from "./gradient-case.ts";

type Derivative = (x: number) => number;

/** A case of one operator, with its derivative. */
function unary(operator: string, input: Draw, derivative: Derivative): GradientCase {
  return {
    title: operator,
    covers: [operator],
    inputs: [input],
    build: (ops, x) => ops.emit(operator, [x]),
    closedForm: (x) => [x.map(derivative)],
    second: true,
  };
}

const inside = uniform([2, 5], -0.8, 0.8);
const positive = uniform([2, 5], 0.4, 2);

/** Functions of one number. */
export const elementwiseCases: readonly GradientCase[] = [
  unary("Abs", apart([2, 5]), Math.sign),
  unary("Neg", apart([2, 5]), () => -1),
  unary("Exp", apart([2, 5]), Math.exp),
  unary("Log", positive, (x) => 1 / x),
  unary("Sqrt", positive, (x) => 0.5 / Math.sqrt(x)),
  unary("Reciprocal", positive, (x) => -1 / x ** 2),
  unary("Sin", apart([2, 5]), Math.cos),
  unary("Cos", apart([2, 5]), (x) => -Math.sin(x)),
  unary("Tan", inside, (x) => 1 / Math.cos(x) ** 2),
  unary("Asin", inside, (x) => 1 / Math.sqrt(1 - x * x)),
  unary("Acos", inside, (x) => -1 / Math.sqrt(1 - x * x)),
  unary("Atan", apart([2, 5]), (x) => 1 / (1 + x * x)),
  unary("Sinh", apart([2, 5]), Math.cosh),
  unary("Cosh", apart([2, 5]), Math.sinh),
  unary("Asinh", apart([2, 5]), (x) => 1 / Math.sqrt(1 + x * x)),
  unary("Acosh", uniform([2, 5], 1.4, 3), (x) => 1 / Math.sqrt(x * x - 1)),
  unary("Atanh", inside, (x) => 1 / (1 - x * x)),
  unary("Erf", apart([2, 5]), (x) => (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x)),
];
