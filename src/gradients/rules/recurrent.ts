/** Gradients of recurrent layers, by back-propagation through time. */
import {
  type GradientContext,
  type GradientRule,
  type Ops,
  type UnrolledDirection,
  unrollRecurrent,
} from "../../build/index.ts";
import type { Value } from "../../program/index.ts";

/** Inputs of RNN, GRU and LSTM nodes. */
const [X, W, R, B, INITIAL_H, INITIAL_C, PEEPHOLES] = [0, 1, 2, 3, 5, 6, 7] as const;

/**
 * Time steps pass gradients only to the projection of the inputs (and initial states); those of W, R, B and X are one product
 * each over all steps, instead of one per step.
 */
const recurrent: GradientRule = (context) => {
  const { node, ops } = context;
  const { outputs, directions } = unrollRecurrent(node, ops);
  const projections = directions.map(({ projection }) => projection);
  // B is both in the projection and, for a GRU that resets last, in the steps.
  const inSteps = [B, INITIAL_H, INITIAL_C, PEEPHOLES].filter((index) => context.needs(index));
  const wanted = outputs.flatMap((output, index) => (output && context.gradient(index) ? [index] : []));
  const gradients = context.differentiate(
    wanted.map((index) => outputs[index]!),
    wanted.map((index) => context.gradient(index)),
    [...projections, ...inSteps.map((index) => node.input(index))],
  );
  const ofProjections = gradients.slice(0, projections.length);
  const result = new Array<Value | undefined>(node.inputs.length).fill(undefined);
  inSteps.forEach((index, place) => {
    result[index] = gradients[projections.length + place];
  });
  const before = [X, W, B].filter((index) => context.needs(index));
  const inProjection = context.differentiate(
    projections,
    ofProjections,
    before.map((index) => node.input(index)),
  );
  before.forEach((index, place) => {
    const [own, other] = [result[index], inProjection[place]];
    result[index] = own && other ? ops.add(own, other) : (own ?? other);
  });
  if (context.needs(R)) result[R] = weightGradient(context, directions, ofProjections);
  return result;
};

/** The gradient of R: that of each group of rows is the gradient of its columns of the projection times the states. */
function weightGradient(
  { node, ops }: GradientContext,
  directions: readonly UnrolledDirection[],
  ofProjections: readonly (Value | undefined)[],
): Value {
  const [, width, hidden] = ops.shapeOf(node.input(R)) as [number, number, number];
  const perDirection = directions.map(({ products }, index) => {
    const gradient = ofProjections[index];
    return gradient ? rowGradients(ops, products, gradient) : ops.full([width, hidden], 0, node.input(R).dtype);
  });
  return ops.concat(
    perDirection.map((gradient) => ops.unsqueeze(gradient, [0])),
    0,
  );
}

function rowGradients(ops: Ops, products: UnrolledDirection["products"], gradient: Value): Value {
  const columns = ops.split(
    gradient,
    1,
    products.map(({ rows }) => rows),
  );
  const rows = products.map(({ left, factor }, index) => {
    const own = factor ? ops.mul(columns[index]!, factor) : columns[index]!;
    return ops.matMul(ops.transposeLast(own), left);
  });
  return rows.length === 1 ? rows[0]! : ops.concat(rows, 0);
}

/** Recurrent layers. */
export const recurrents: Readonly<Record<string, GradientRule>> = { RNN: recurrent, GRU: recurrent, LSTM: recurrent };
