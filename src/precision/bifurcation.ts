/** Gradient bifurcation: the two backward products of a layer see different copies of its gradient. */
import type { GradientContext, GradientRule } from "../build/index.ts";
import type { Value } from "../program/index.ts";

/** What an operand of a product is. */
export type OperandRole = "data" | "weight" | "bias";

/** Returns the copy of a gradient that a path sees. */
export type GradientCopy = (context: GradientContext, dy: Value) => Value;

/**
 * Makes the gradient rule of a quantized product from that of the product:
 *
 *   data path:    g_(l-1) = Q(g_l) W-hat^T    on the way to the layers below
 *   weight path:  dW = x-hat^T g_l            with a copy of more bits; biases get g_l itself
 *
 * Both see the quantized operands, which are the node's inputs.
 *
 * @see arXiv:1805.11046, section 5
 */
export function bifurcated(
  rule: GradientRule,
  roles: readonly OperandRole[],
  copies: Readonly<Record<"data" | "weight", GradientCopy>>,
): GradientRule {
  return (context) => {
    const results: (Value | undefined)[] = roles.map(() => undefined);
    for (const role of ["data", "weight", "bias"] as const) {
      const isWanted = (index: number): boolean => roles[index] === role && context.needs(index);
      if (!roles.some((_, index) => isWanted(index))) continue;
      const dy = role === "bias" ? context.dy : copies[role](context, context.dy);
      const found = rule(seeing(context, dy, isWanted));
      roles.forEach((_, index) => {
        if (isWanted(index)) results[index] = found[index];
      });
    }
    return results;
  };
}

/** The context with another gradient of the first output, in which only some inputs need theirs. */
export function seeing(context: GradientContext, dy: Value, needs: (index: number) => boolean): GradientContext {
  return {
    node: context.node,
    ops: context.ops,
    dy,
    gradient: (index) => (index === 0 ? dy : context.gradient(index)),
    needs,
    differentiate: (outputs, gradients, inputs) => context.differentiate(outputs, gradients, inputs),
  };
}
