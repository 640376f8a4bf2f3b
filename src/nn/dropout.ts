/** Dropping elements at random while training. */
import type { Layer } from "../build/index.ts";
import { OptionError } from "../errors.ts";

/**
 * Sets each element to 0 with the given probability and divides the others by what is left, so that the mean stays; does
 * nothing outside training.
 *
 * @param probability Of an element to be dropped, in [0, 1). Default 0.5.
 * @throws OptionError if the probability is out of range.
 * @see Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting"; torch.nn.Dropout
 * @example
 * nn.sequential([nn.linear(256), nn.relu(), nn.dropout(0.2), nn.linear(10)]);
 */
export function dropout(probability = 0.5): Layer {
  if (!(probability >= 0 && probability < 1)) {
    throw new OptionError(`dropout: probability must be at least 0 and less than 1, got ${probability}.`);
  }
  return (x, scope) => {
    if (!scope.training || probability === 0) return x;
    const { ops, random } = scope;
    const kept = ops.greaterOrEqual(random.uniform(ops.shapeOf(x)), probability);
    return ops.mul(x, ops.mul(ops.cast(kept, x.dtype!), 1 / (1 - probability)));
  };
}
