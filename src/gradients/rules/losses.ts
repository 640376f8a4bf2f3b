/** Gradients of ONNX's two losses: written with one-hot targets, whose gradient needs no scattering, and differentiated so. */
import type { GradientContext, GradientRule, Ops } from "../../build/index.ts";
import type { Value } from "../../program/index.ts";

/**
 * loss = -sum of w[t] logp[t] over the places, divided by the sum of w[t] for "mean"; none for "none".
 *
 * Shapes: logp [batch, classes, ...places], target [batch, ...places], weights [classes].
 */
function likelihoodLoss({ node, ops }: GradientContext, logp: Value): Value {
  const target = node.input(1);
  const shape = ops.shapeOf(logp);
  const hot = ops.oneHot(target, shape[1]!, { axis: 1, dtype: logp.dtype! });
  const kept = keptTargets(node.int("ignore_index"), ops, target, hot);
  const weighted = node.inputs[2] ? ops.mul(kept, perClass(ops, node.inputs[2], shape)) : kept;
  const terms = ops.neg(ops.mul(weighted, logp));
  const reduction = node.string("reduction", "mean");
  if (reduction === "none") return ops.reduceSum(terms, { axes: [1], keepDims: false });
  const sum = ops.reduceSum(terms, { keepDims: false });
  return reduction === "sum" ? sum : ops.div(sum, ops.reduceSum(weighted, { keepDims: false }));
}

/** Zeros where the target is to be ignored. */
function keptTargets(ignored: number | undefined, ops: Ops, target: Value, hot: Value): Value {
  if (ignored === undefined) return hot;
  const skip = ops.equal(target, ops.scalar(ignored, target.dtype));
  return ops.mul(hot, ops.unsqueeze(ops.cast(ops.not(skip), hot.dtype!), [1]));
}

function perClass(ops: Ops, weights: Value, shape: readonly number[]): Value {
  return ops.reshape(
    weights,
    shape.slice(1).map((length, axis) => (axis === 0 ? length : 1)),
  );
}

const negativeLogLikelihood: GradientRule = (context) => {
  const { node } = context;
  const loss = likelihoodLoss(context, node.input(0));
  const [dlogp, dweights] = context.differentiate([loss], [context.dy], weightsToo(context, node.input(0)));
  return [dlogp, undefined, dweights];
};

/** logp = x - log(sum of exp(x)) over the classes, then the loss; logp is the second output. */
const softmaxCrossEntropy: GradientRule = (context) => {
  const { node, ops } = context;
  const [dloss, dlogpOut] = [context.gradient(0), context.gradient(1)];
  const logp = node.outputs[1] ?? ops.logSoftmax(node.input(0), 1);
  const loss = dloss && likelihoodLoss(context, logp);
  const [dlogpLoss, dweights] = loss ? context.differentiate([loss], [dloss], weightsToo(context, logp)) : [];
  const dlogp = dlogpLoss && dlogpOut ? ops.add(dlogpLoss, dlogpOut) : (dlogpLoss ?? dlogpOut)!;
  const dx = ops.sub(dlogp, ops.mul(ops.exp(logp), ops.reduceSum(dlogp, { axes: [1] })));
  return [dx, undefined, dweights];
};

/** What the loss is differentiated with respect to: the weights rarely. */
function weightsToo(context: GradientContext, logp: Value): Value[] {
  return context.needs(2) ? [logp, context.node.input(2)] : [logp];
}

/** Losses. */
export const losses: Readonly<Record<string, GradientRule>> = {
  NegativeLogLikelihoodLoss: negativeLogLikelihood,
  SoftmaxCrossEntropyLoss: softmaxCrossEntropy,
};
