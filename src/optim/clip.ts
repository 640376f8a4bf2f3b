/** Clipping of gradients: optimizers that give another one smaller gradients. */
import type { Ops, Optimizer, OptimizerContext, ParameterGradient } from "../build/index.ts";
import { OptionError } from "../errors.ts";
import { commonNorm } from "./norm.ts";

/** Added to the norm before dividing by it, as torch.nn.utils.clip_grad_norm_ does. */
const EPSILON = 1e-6;

/**
 * Scales all gradients by one factor, so that their common Euclidean norm is at most `maximum`:
 * torch.nn.utils.clip_grad_norm_. Steps get a metric `clipped`: 1 where the norm was above it, else 0.
 *
 * @param maximum Positive.
 * @throws OptionError if `maximum` is not positive.
 * @see Pascanu, Mikolov, Bengio 2012, "On the difficulty of training Recurrent Neural Networks", arXiv:1211.5063
 * @example
 * const optimizer = optim.clipByNorm(optim.adam({ learningRate: 1e-3 }), 1);
 */
export function clipByNorm(optimizer: Optimizer, maximum: number): Optimizer {
  assertPositive("clipByNorm", maximum);
  return changingGradients(optimizer, ({ ops, metric }, gradients) => {
    if (gradients.length === 0) return gradients;
    const norm = commonNorm(
      ops,
      gradients.map(({ gradient }) => gradient),
    );
    metric?.("clipped", ops.cast(ops.greater(norm, maximum), norm.dtype!));
    const factor = ops.min(ops.div(maximum, ops.add(norm, EPSILON)), 1);
    return gradients.map(({ parameter, gradient }) => ({ parameter, gradient: ops.mul(gradient, factor) }));
  });
}

/**
 * Limits every element of every gradient to [-maximum, maximum]: torch.nn.utils.clip_grad_value_.
 *
 * @param maximum Positive.
 * @throws OptionError if `maximum` is not positive.
 * @example
 * const optimizer = optim.clipByValue(optim.sgd({ learningRate: 0.1 }), 0.5);
 */
export function clipByValue(optimizer: Optimizer, maximum: number): Optimizer {
  assertPositive("clipByValue", maximum);
  return changingGradients(optimizer, ({ ops }, gradients) =>
    gradients.map(({ parameter, gradient }) => ({ parameter, gradient: ops.clip(gradient, -maximum, maximum) })),
  );
}

/** What a change of gradients is written with. */
interface ChangeWriter {
  readonly ops: Ops;
  /** Absent for gradients at other weights than the parameters. */
  readonly metric?: OptimizerContext["metric"];
}

/** The optimizer, seeing other gradients; those at several weights in one step are changed each by themselves. */
function changingGradients(
  optimizer: Optimizer,
  change: (writer: ChangeWriter, gradients: readonly ParameterGradient[]) => readonly ParameterGradient[],
): Optimizer {
  return {
    ...optimizer,
    apply: (context) =>
      optimizer.apply({
        ...context,
        gradients: (weights) => {
          const { ops, metric } = context;
          return change(weights ? { ops } : { ops, metric }, context.gradients(weights));
        },
      }),
  };
}

function assertPositive(name: string, maximum: number): void {
  if (!(maximum > 0)) throw new OptionError(`${name}: maximum must be positive, got ${maximum}.`);
}
