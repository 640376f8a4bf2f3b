/** Gradients of complicated operators: through the simpler ones they can be written as. */
import { decompositions, type GradientRule } from "../../build/index.ts";
import type { Value } from "../../program/index.ts";

/** Writes the node as simpler operators, and differentiates those; what of them the gradient does not need is never run. */
export const throughDecomposition: GradientRule = (context) => {
  const { node, ops } = context;
  const key = node.domain === "" ? node.operator : `${node.domain}:${node.operator}`;
  const outputs = decompositions[key]!(node, ops);
  const wanted = node.outputs.flatMap((_, index) => (context.gradient(index) && outputs[index] ? [index] : []));
  const needed = node.inputs.flatMap((_, index) => (context.needs(index) ? [index] : []));
  const gradients = context.differentiate(
    wanted.map((index) => outputs[index]!),
    wanted.map((index) => context.gradient(index)),
    needed.map((index) => node.input(index)),
  );
  const result = new Array<Value | undefined>(node.inputs.length).fill(undefined);
  needed.forEach((index, place) => {
    result[index] = gradients[place];
  });
  return result;
};
