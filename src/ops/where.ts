/** Where: elements of one tensor or another, by a condition. */
import type { Node } from "../program/index.ts";
import { broadcastShapes } from "./broadcast.ts";
import { broadcastElements } from "./elements.ts";
import { type Fact, family, type InferenceContext, MICROSOFT, type Operator } from "./operator.ts";

function inferWhere(node: Node, context: InferenceContext): readonly Fact[] {
  const [condition, x, y] = [context.input(0), context.input(1), context.input(2)];
  const shape = broadcastShapes(node, condition.shape, x.shape, y.shape);
  const fact = { dtype: x.dtype ?? y.dtype, shape };
  const chosen = broadcastElements(condition, shape);
  const fromX = broadcastElements(x, shape);
  const fromY = broadcastElements(y, shape);
  if (!chosen || !fromX || !fromY) return [fact];
  const elements = chosen.map((choice, index) => {
    const [a, b] = [fromX[index]!, fromY[index]!];
    if (typeof choice === "number") return choice === 0 ? b : a;
    return a === b ? a : null;
  });
  return [{ ...fact, elements }];
}

/** QLinearWhere: (condition, X, x_scale, x_zero_point, Y, ...). */
function inferQuantized(node: Node, context: InferenceContext): readonly Fact[] {
  const x = context.input(1);
  return [{ dtype: x.dtype, shape: broadcastShapes(node, context.input(0).shape, x.shape, context.input(4).shape) }];
}

/** Where and its quantized form. */
export const where: readonly Operator[] = [
  ...family(["Where"], { since: 9, infer: inferWhere }),
  ...family(["QLinearWhere"], { domain: MICROSOFT, infer: inferQuantized }),
];
