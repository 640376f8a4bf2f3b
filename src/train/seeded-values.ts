/**
 * Random numbers in a step: a function of seed, place, call and element, in integer arithmetic that all devices share.
 *
 * A call of n elements is laid out as a matrix of at most 1024 columns. Every row and every column has a 32-bit word, mixed
 * from (seed, place, call, index); the word of element (row, column) is mixed from the sum of the two. All arithmetic is
 * modulo 2^32 in additions, products and right shifts, the integer operators that WebGPU has too. See
 * docs/decisions/0008-random-numbers-in-the-graph.md for the measured speed and the statistical tests.
 */
import type { Ops, RandomValues } from "../build/index.ts";
import type { Value } from "../program/index.ts";
import { elementCount, tensorOf } from "../tensor/index.ts";
import { NORMAL_COEFFICIENTS } from "./normal-coefficients.ts";

/** Numbers calls of random values; one for all that happens in a step, so that no two calls give the same numbers. */
export interface CallCounter {
  next: number;
}

/** What the numbers are a function of, besides call and element. */
export interface RandomSource {
  /** int64 scalar, of which the low 32 bits count. */
  readonly seed: Value;
  /** int64 scalar that differs from step to step, and from chunk to chunk. */
  readonly place: Value;
  readonly calls: CallCounter;
}

const COLUMNS = 1024;

/** Odd multipliers with good avalanche behaviour (Chris Wellons, "Prospecting for Hash Functions", and its successors). */
const FIRST = 0x21f0aaad;
const SECOND = 0x735a2d97;
const THIRD = 0x2c1b3c6d;
const GOLDEN_RATIO = 0x9e3779b9;

/**
 * Returns the random values of a step.
 *
 * uniform: multiples of 2^-24 in [0, 1). normal: the sum of four 16-bit uniforms under an odd polynomial, in additions and
 * products only, so that it is the same everywhere; see normal-coefficients.ts for its accuracy.
 */
export function seededValues(graphOps: Ops, { seed, place, calls }: RandomSource): RandomValues {
  const ops = graphOps.at(graphOps.path ? `${graphOps.path}.random` : "random");
  const words = new Words(ops);
  let keys: readonly [Value, Value] | undefined;
  const wordsOf = (count: number): Value => {
    keys ??= [words.key(seed), words.key(place)];
    return words.ofCall(calls.next++, count, keys);
  };
  return {
    uniform(shape) {
      const count = elementCount(shape);
      const top = words.shift(wordsOf(count), 8);
      return words.shaped(ops.mul(ops.cast(top, "float32"), 2 ** -24), shape);
    },
    normal(shape) {
      const count = elementCount(shape);
      const sum = ops.add(words.sumOfHalves(wordsOf(count)), words.sumOfHalves(wordsOf(count)));
      return words.shaped(toNormal(ops.cast(sum, "float32"), ops), shape);
    },
  };
}

/** The mixing of 32-bit words. */
class Words {
  readonly #ops: Ops;

  constructor(ops: Ops) {
    this.#ops = ops;
  }

  shift(x: Value, bits: number): Value {
    return this.#ops.emit("BitShift", [x, this.#word(bits)], { direction: "RIGHT" });
  }

  /** A key of 32 bits from a counter, so that neighbouring counters share nothing. Shape [1]. */
  key(counter: Value): Value {
    const ops = this.#ops;
    let x = ops.reshape(ops.cast(counter, "uint32"), [1]);
    x = ops.mul(ops.add(x, this.#word(GOLDEN_RATIO)), this.#word(FIRST));
    x = ops.mul(this.#fold(x, 16), this.#word(SECOND));
    return this.#fold(x, 15);
  }

  /** The words of a call: at least `count`, shape [rows, columns]. Their upper 24 bits are good. */
  ofCall(call: number, count: number, [seed, place]: readonly [Value, Value]): Value {
    const ops = this.#ops;
    const columns = Math.min(Math.max(count, 1), COLUMNS);
    const rows = Math.max(Math.ceil(count / columns), 1);
    const start = ops.constant(tensorOf("uint32", [rows + columns], startingWords(call, rows, columns)));
    let x = ops.mul(ops.add(start, seed), this.#word(FIRST));
    x = ops.mul(ops.add(this.#fold(x, 16), place), this.#word(SECOND));
    x = ops.mul(this.#fold(x, 15), this.#word(FIRST));
    const [ofRows, ofColumns] = ops.split(this.#fold(x, 16), 0, [rows, columns]) as [Value, Value];
    const [row, column] = [ops.reshape(ofRows, [rows, 1]), ops.reshape(ofColumns, [1, columns])];
    // y = row + column, then y (2y + 1): a permutation of the words of 32 bits (the one of RC6).
    const y = ops.add(row, column);
    const twice = ops.add(ops.add(ops.add(row, row), this.#word(1)), ops.add(column, column));
    return ops.mul(this.#fold(ops.mul(y, twice), 16), this.#word(SECOND));
  }

  /** The sum of both halves of each word, whose lower half is mixed once more. */
  sumOfHalves(words: Value): Value {
    const ops = this.#ops;
    const x = ops.mul(this.#fold(words, 15), this.#word(THIRD));
    return ops.sub(x, ops.mul(this.shift(x, 16), this.#word(2 ** 16 - 1)));
  }

  /** Drops what is too much and gives the shape. */
  shaped(matrix: Value, shape: readonly number[]): Value {
    const ops = this.#ops;
    const count = elementCount(shape);
    if (elementCount(ops.shapeOf(matrix)) === count) return ops.reshape(matrix, shape);
    return ops.reshape(ops.slice(ops.reshape(matrix, [-1]), { axes: [0], starts: [0], ends: [count] }), shape);
  }

  /** x + (x >> bits). */
  #fold(x: Value, bits: number): Value {
    return this.#ops.add(x, this.shift(x, bits));
  }

  #word(number: number): Value {
    return this.#ops.constant(tensorOf("uint32", [], [number]));
  }
}

/** The words of rows and columns before seed and place come in: those of different calls share nothing. */
function startingWords(call: number, rows: number, columns: number): Uint32Array {
  const words = new Uint32Array(rows + columns);
  for (let i = 0; i < rows; i++) words[i] = hash(hash(i) + Math.imul(2 * call, 0x85ebca6b));
  for (let j = 0; j < columns; j++) words[rows + j] = hash(hash(j) + Math.imul(2 * call + 1, 0x85ebca6b));
  return words;
}

function hash(word: number): number {
  let x = (word + GOLDEN_RATIO) | 0;
  x = Math.imul(x ^ (x >>> 16), FIRST);
  x = Math.imul(x ^ (x >>> 15), SECOND);
  return x ^ (x >>> 15);
}

/** Standard normal numbers from sums of four uniform integers below 2^16. */
function toNormal(sums: Value, ops: Ops): Value {
  // Exact: the sums are below 2^18.
  const x = ops.mul(ops.sub(sums, 2 * (2 ** 16 - 1)), 2 ** -16);
  const square = ops.mul(x, x);
  const [last, ...others] = [...NORMAL_COEFFICIENTS].reverse() as [number, ...number[]];
  let sum = ops.mul(square, last);
  others.forEach((coefficient, index) => {
    sum = ops.add(index === 0 ? sum : ops.mul(sum, square), coefficient);
  });
  return ops.mul(sum, x);
}
