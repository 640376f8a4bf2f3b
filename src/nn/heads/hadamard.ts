/** Sylvester's Hadamard matrices and the fast Walsh-Hadamard transform, on the host. */
import { OptionError } from "../../errors.ts";

/**
 * Returns entry (row, column) of a Hadamard matrix of Sylvester's: (-1)^popcount(row AND column). It is the same in all orders above
 * both numbers.
 *
 * @param row Whole number from 0, below 2^31.
 * @param column Whole number from 0, below 2^31.
 * @example
 * nn.hadamardEntry(1, 3); // -1
 */
export function hadamardEntry(row: number, column: number): 1 | -1 {
  let bits = row & column;
  // Halves are folded onto each other: the parity of all bits is that of the last one in the end.
  for (let shift = 16; shift > 0; shift >>= 1) bits ^= bits >>> shift;
  return bits & 1 ? -1 : 1;
}

/**
 * Returns the Hadamard matrix of an order, row-major: H_1 = [1], H_2m = [[H, H], [H, -H]], so that H H^T = order I.
 *
 * Each row of blocks is copied from the one before: order^2 copies, no products.
 *
 * @throws OptionError unless the order is a power of two.
 * @example
 * const signs = nn.hadamardMatrix(64);
 */
export function hadamardMatrix(order: number): Float64Array {
  assertPowerOfTwo(order, "hadamardMatrix");
  const matrix = new Float64Array(order * order);
  matrix[0] = 1;
  for (let half = 1; half < order; half *= 2) {
    for (let row = 0; row < half; row++) {
      const at = row * order;
      matrix.copyWithin(at + half, at, at + half);
      matrix.copyWithin(at + half * order, at, at + half);
      for (let i = 0; i < half; i++) matrix[at + half * order + half + i] = -matrix[at + i]!;
    }
  }
  return matrix;
}

/**
 * Replaces each group of `order` numbers x by H x, in place: order log2(order) additions for a group. Applied twice it gives order x.
 *
 * @param values Vectors of length `order`, one after the other.
 * @returns `values`.
 * @throws OptionError unless the order is a power of two that divides the length.
 * @example
 * nn.fastWalshHadamard(Float32Array.from([1, 2, 3, 4]), 4); // 10, -2, -4, 0
 */
export function fastWalshHadamard<Numbers extends Float32Array | Float64Array>(
  values: Numbers,
  order: number,
): Numbers {
  assertPowerOfTwo(order, "fastWalshHadamard");
  if (values.length % order !== 0) {
    throw new OptionError(
      `fastWalshHadamard: the numbers must be vectors of length ${order}, got ${values.length} numbers. Pad them with zeros.`,
    );
  }
  for (let half = 1; half < order; half *= 2) {
    for (let start = 0; start < values.length; start += 2 * half) {
      for (let i = start; i < start + half; i++) {
        const [a, b] = [values[i]!, values[i + half]!];
        values[i] = a + b;
        values[i + half] = a - b;
      }
    }
  }
  return values;
}

/** Returns the least power of two that is at least `count`. */
export function powerOfTwoFrom(count: number): number {
  let order = 1;
  while (order < count) order *= 2;
  return order;
}

function assertPowerOfTwo(order: number, where: string): void {
  if (Number.isInteger(order) && order >= 1 && powerOfTwoFrom(order) === order) return;
  throw new OptionError(`${where}: order must be a power of two, got ${order}.`);
}
