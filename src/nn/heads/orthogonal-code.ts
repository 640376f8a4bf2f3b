/** A random orthonormal matrix as directions of classes. */
import { seededRandom } from "../../tensor/index.ts";
import { zeros } from "../initializers.ts";
import { orthogonal } from "../orthogonal.ts";
import type { ClassCode } from "./class-code.ts";

/** What a random code depends on. */
export interface SeededCodeOptions {
  /** Default 123. */
  readonly seed?: number;
}

/**
 * Returns the code of random orthonormal rows: a Gaussian matrix, made orthonormal with positive diagonal (QR with its signs fixed), by
 * a generator of its own. With more classes than features the columns are orthonormal, and rows shorter than 1.
 *
 * A learned scale starts at 10, biases at 0.
 *
 * @see Hoffer, Hubara, Soudry 2018, "Fix your classifier", arXiv:1801.04540, section 2.1
 * @example
 * nn.fixedHead({ code: nn.orthogonalCode({ seed: 1 }) });
 */
export function orthogonalCode({ seed = 123 }: SeededCodeOptions = {}): ClassCode {
  return {
    name: "orthogonal",
    initialScale: () => 10,
    initialBias: zeros,
    prototypes: (classes, features) => ({ matrix: () => orthonormalMatrix(classes, features, seed) }),
  };
}

/** Returns random orthonormal rows, or columns where there are fewer of those, row-major. */
export function orthonormalMatrix(rows: number, columns: number, seed: number): Float64Array {
  return Float64Array.from(orthogonal()([rows, columns], seededRandom(seed)));
}
