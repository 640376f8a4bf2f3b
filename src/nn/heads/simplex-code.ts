/** The corners of a regular simplex as directions of classes. */
import { OptionError } from "../../errors.ts";
import { zeros } from "../initializers.ts";
import type { ClassCode } from "./class-code.ts";
import { orthonormalMatrix, type SeededCodeOptions } from "./orthogonal-code.ts";

/**
 * Returns the code of a regular simplex (an equiangular tight frame): rows of length 1 whose cosines are all -1 / (classes - 1), the
 * least that is possible, turned at random into the space of features.
 *
 * A learned scale starts at 10, biases at 0.
 *
 * @throws OptionError when built, unless classes are at least 2 and at most features + 1.
 * @see Pernici et al. 2021, "Regular polytope networks", arXiv:2103.15632; Papyan, Han, Donoho 2020, arXiv:2008.08186
 * @example
 * nn.fixedHead({ code: nn.simplexCode() });
 */
export function simplexCode({ seed = 123 }: SeededCodeOptions = {}): ClassCode {
  return {
    name: "simplex",
    initialScale: () => 10,
    initialBias: zeros,
    prototypes: (classes, features) => {
      if (classes < 2 || classes > features + 1) {
        throw new OptionError(
          `simplexCode: classes must be from 2 to ${features + 1} for ${features} features, got ${classes}. Take spreadCode.`,
        );
      }
      return { matrix: () => simplex(classes, features, seed) };
    },
  };
}

/**
 * Corner c of the simplex is sqrt(C / (C - 1)) times row c of Helmert's matrix, whose column k is (1, ..., 1, -k, 0, ...) / sqrt(k (k + 1)),
 * times random orthonormal rows: running sums from the last row give it in C N additions.
 */
function simplex(classes: number, features: number, seed: number): Float64Array {
  const rotation = orthonormalMatrix(classes - 1, features, seed);
  const corners = new Float64Array(classes * features);
  const length = Math.sqrt(classes / (classes - 1));
  const rest = new Float64Array(features);
  for (let c = classes - 1; c >= 0; c--) {
    const weight = c === 0 ? 0 : 1 / Math.sqrt(c * (c + 1));
    for (let j = 0; j < features; j++) {
      const direction = c === 0 ? 0 : weight * rotation[(c - 1) * features + j]!;
      corners[c * features + j] = length * (rest[j]! - c * direction);
      rest[j]! += direction;
    }
  }
  return corners;
}
