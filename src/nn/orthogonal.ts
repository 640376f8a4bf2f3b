/** Orthogonal matrices to start from. */
import type { Initializer } from "../build/index.ts";
import { OptionError } from "../errors.ts";
import { elementCount } from "../tensor/index.ts";

/** What `orthogonal` depends on. */
export interface OrthogonalOptions {
  /** Default 1; see `gainOf`. */
  readonly gain?: number;
}

/**
 * Draws a matrix with orthonormal rows, or columns if there are fewer of those, times gain: uniform over all such matrices.
 * Axes after the first count as one.
 *
 * @throws OptionError if the weight has fewer than two axes.
 * @see Saxe, McClelland, Ganguli 2014, "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks",
 * arXiv:1312.6120; torch.nn.init.orthogonal_
 * @example
 * nn.linear(256, { weight: nn.orthogonal() });
 */
export function orthogonal({ gain = 1 }: OrthogonalOptions = {}): Initializer {
  return (shape, random) => {
    if (shape.length < 2) {
      throw new OptionError(`orthogonal: a weight must have two or more axes, got [${shape.join(", ")}].`);
    }
    const [rows, columns] = [shape[0]!, elementCount(shape.slice(1))];
    const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
    const basis: Float64Array[] = [];
    while (basis.length < count) {
      const vector = Float64Array.from({ length }, () => random.normal());
      // Twice is enough: what rounding left of the first pass is gone after the second.
      removeComponents(vector, basis);
      removeComponents(vector, basis);
      const norm = Math.sqrt(dot(vector, vector));
      basis.push(vector.map((x) => x / norm));
    }
    const values = new Float64Array(rows * columns);
    basis.forEach((vector, index) => {
      for (let i = 0; i < length; i++) {
        values[rows <= columns ? index * columns + i : i * columns + index] = gain * vector[i]!;
      }
    });
    return values;
  };
}

/** Subtracts from the vector its projections onto an orthonormal basis (Gram-Schmidt, in its stable order). */
function removeComponents(vector: Float64Array, basis: readonly Float64Array[]): void {
  for (const unit of basis) {
    const component = dot(vector, unit);
    for (let i = 0; i < vector.length; i++) vector[i] = vector[i]! - component * unit[i]!;
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
