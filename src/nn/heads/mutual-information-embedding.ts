/** Vectors of symbols from what stands near them in a text. */

import { OptionError } from "../../errors.ts";
import { type Random, seededRandom, Tensor } from "../../tensor/index.ts";
import { assertCount } from "../check-input.ts";

/** How the vectors are made. */
export interface MutualInformationOptions {
  /** Symbols of the vocabulary; tokens are from 0 to count - 1. */
  readonly count: number;
  /** Length of a vector. */
  readonly features: number;
  /** Places to each side that count as near. Default 5. */
  readonly window?: number;
  /** k: ln k is subtracted, as if there were k negative samples. Default 1. */
  readonly shift?: number;
  /** Of the start of the decomposition. Default 123. */
  readonly seed?: number;
}

/** Rounds of subspace iteration: enough for directions to be right to a percent, which is all that a head needs. */
const ROUNDS = 12;

/**
 * Makes a vector of length 1 for each symbol from a text: shifted positive pointwise mutual information of symbols that stand near each other,
 * max(0, ln(#(w, c) T / (#w #c)) - ln k), and its truncated singular value decomposition, rows of U sqrt(S). A symbol that has no
 * information gets a random direction.
 *
 * The decomposition is a subspace iteration in float64 on the host: the matrix is sparse, and a few thousand words take seconds.
 *
 * Shapes: tokens [length] -> [count, features], float32.
 *
 * @throws OptionError if a number is not a whole number of at least 1, or a token not one of the vocabulary.
 * @see Levy, Goldberg 2014, "Neural word embedding as implicit matrix factorization"; as a fixed head: arXiv:1801.04540, section 4
 * @example
 * const words = nn.mutualInformationEmbedding([0, 1, 2, 1, 0], { count: 3, features: 2 });
 */
export function mutualInformationEmbedding(tokens: ArrayLike<number>, options: MutualInformationOptions): Tensor {
  const { count, features, window = 5, shift = 1, seed = 123 } = options;
  for (const [option, number] of Object.entries({ count, features, window, shift })) {
    assertCount(number, option, "mutualInformationEmbedding");
  }
  for (let place = 0; place < tokens.length; place++) {
    const token = tokens[place]!;
    if (Number.isInteger(token) && token >= 0 && token < count) continue;
    throw new OptionError(
      `mutualInformationEmbedding: tokens must be whole numbers from 0 to ${count - 1}, got ${token} at place ${place}.`,
    );
  }
  const random = seededRandom(seed);
  const rows = informationRows(tokens, { count, window, shift });
  const rank = Math.min(features, count);
  let basis = columns(rank, count, random);
  let values: Float64Array = new Float64Array(rank);
  for (let round = 0; round < ROUNDS; round++) {
    basis = basis.map((column) => timesMatrix(rows, column));
    values = orthonormalize(basis, random);
  }
  const vectors = new Float32Array(count * features);
  for (let symbol = 0; symbol < count; symbol++) {
    // The matrix is symmetric: its singular vectors are its eigenvectors.
    const known = basis.map((column, k) => column[symbol]! * Math.sqrt(values[k]!));
    const isKnown = rows[symbol]!.indices.length > 0 && known.some((number) => Math.abs(number) > 1e-12);
    const vector = Array.from({ length: features }, (_, k) => (isKnown ? (known[k] ?? 0) : random.normal()));
    const length = Math.hypot(...vector);
    vectors.set(
      vector.map((number) => number / length),
      symbol * features,
    );
  }
  return new Tensor("float32", [count, features], vectors);
}

/** A row of a sparse matrix. */
interface SparseRow {
  readonly indices: Int32Array;
  readonly values: Float64Array;
}

function informationRows(
  tokens: ArrayLike<number>,
  { count, window, shift }: { readonly count: number; readonly window: number; readonly shift: number },
): SparseRow[] {
  const near = Array.from({ length: count }, () => new Map<number, number>());
  const sums = new Float64Array(count);
  let total = 0;
  for (let i = 0; i < tokens.length; i++) {
    for (let j = i + 1; j <= Math.min(tokens.length - 1, i + window); j++) {
      const [a, b] = [tokens[i]!, tokens[j]!];
      near[a]!.set(b, (near[a]!.get(b) ?? 0) + 1);
      near[b]!.set(a, (near[b]!.get(a) ?? 0) + 1);
      sums[a]! += 1;
      sums[b]! += 1;
      total += 2;
    }
  }
  return near.map((counts, w) => {
    const entries = [...counts]
      .map(([c, times]) => [c, Math.log((times * total) / (sums[w]! * sums[c]!)) - Math.log(shift)] as const)
      .filter(([, information]) => information > 0);
    return {
      indices: Int32Array.from(entries, ([c]) => c),
      values: Float64Array.from(entries, ([, information]) => information),
    };
  });
}

function columns(rank: number, length: number, random: Random): Float64Array[] {
  return Array.from({ length: rank }, () => Float64Array.from({ length }, () => random.normal()));
}

function timesMatrix(rows: readonly SparseRow[], vector: Float64Array): Float64Array {
  return Float64Array.from(rows, ({ indices, values }) => {
    let sum = 0;
    for (let i = 0; i < indices.length; i++) sum += values[i]! * vector[indices[i]!]!;
    return sum;
  });
}

/** Makes vectors orthonormal, in place and in their order, and returns the length of what was left of each. */
function orthonormalize(vectors: readonly Float64Array[], random: Random): Float64Array {
  return Float64Array.from(vectors, (vector, index) => {
    const before = norm(vector);
    const left = removeOthers(vector, vectors, index);
    // Beyond the rank of the matrix nothing but rounding is left: any other direction, with no weight.
    const isNothing = left <= 1e-10 * before || before === 0;
    if (isNothing) for (let i = 0; i < vector.length; i++) vector[i] = random.normal();
    const length = isNothing ? removeOthers(vector, vectors, index) : left;
    for (let i = 0; i < vector.length; i++) vector[i]! /= length;
    return isNothing ? 0 : length;
  });
}

/** Subtracts projections onto the vectors before, twice against rounding, and returns the length of what is left. */
function removeOthers(vector: Float64Array, vectors: readonly Float64Array[], index: number): number {
  for (let pass = 0; pass < 2; pass++) {
    for (const unit of vectors.slice(0, index)) {
      let component = 0;
      for (let i = 0; i < vector.length; i++) component += vector[i]! * unit[i]!;
      for (let i = 0; i < vector.length; i++) vector[i]! -= component * unit[i]!;
    }
  }
  return norm(vector);
}

function norm(vector: Float64Array): number {
  return Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
}
