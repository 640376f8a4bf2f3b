/** Gradients of operators that choose, element by element, one of several numbers. */
import type { GradientRule } from "../../build/index.ts";
import { mask } from "./activations.ts";
import { unbroadcast } from "./arithmetic.ts";

/** y = where(condition, a, b): dy goes where the element came from. */
const where: GradientRule = (context) => {
  const { node, ops, dy } = context;
  const chosen = mask(ops, node.input(0), dy);
  return [
    undefined,
    context.needs(1) ? unbroadcast(context, 1, ops.mul(dy, chosen)) : undefined,
    context.needs(2) ? unbroadcast(context, 2, ops.mul(dy, ops.sub(1, chosen))) : undefined,
  ];
};

/** y = max or min of all inputs: dy goes to the input it equals; inputs that are equal share it. */
const extreme: GradientRule = (context) => {
  const { node, ops, dy } = context;
  const y = node.output();
  const winners = node.inputs.map((input) => mask(ops, ops.equal(input!, y), dy));
  const share =
    winners.length === 1
      ? dy
      : ops.div(
          dy,
          winners.reduce((a, b) => ops.add(a, b)),
        );
  return winners.map((winner, index) =>
    context.needs(index) ? unbroadcast(context, index, ops.mul(share, winner)) : undefined,
  );
};

/** y = min(max(x, low), high): dy goes to x where low <= x <= high, else to the bound that was met. */
const clip: GradientRule = (context) => {
  const { node, ops, dy } = context;
  const x = node.input(0);
  return [
    context.needs(0) ? ops.mul(dy, mask(ops, ops.equal(x, node.output()), dy)) : undefined,
    context.needs(1) ? unbroadcast(context, 1, ops.mul(dy, mask(ops, ops.less(x, node.input(1)), dy))) : undefined,
    context.needs(2) ? unbroadcast(context, 2, ops.mul(dy, mask(ops, ops.greater(x, node.input(2)), dy))) : undefined,
  ];
};

/** Choices between numbers. */
export const choices: Readonly<Record<string, GradientRule>> = { Where: where, Max: extreme, Min: extreme, Clip: clip };
