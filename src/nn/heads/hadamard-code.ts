/** Rows of a Hadamard matrix as directions of classes. */
import { OptionError } from "../../errors.ts";
import { seededRandom, shuffledIndices } from "../../tensor/index.ts";
import { uniform } from "../initializers.ts";
import type { ClassCode, HadamardRows } from "./class-code.ts";
import { fastWalshHadamard, hadamardEntry, powerOfTwoFrom } from "./hadamard.ts";

/** Which rows and columns are taken. */
export interface HadamardCodeOptions {
  /**
   * What becomes of row 0, which is all ones: of features that are nowhere negative, such as those behind a ReLU, its score is the
   * largest for every input. Default "skip": classes have rows 1, 2, and so on. "keep" is the published code.
   */
  readonly row0?: "skip" | "keep";
  /**
   * What is done when there are more classes than rows that differ in the given features. "biorthogonal" (the default) goes on with
   * the same rows and the other sign: twice as many classes, cosines 0 or -1. "random-columns" takes a larger matrix and the best of
   * 64 random choices of its columns: any number of classes, small cosines. "truncate", the published code, repeats rows: classes
   * that differ by their bias alone.
   */
  readonly wide?: "biorthogonal" | "random-columns" | "truncate";
  /** Entries 1 and -1, as published, so that rows have the length sqrt(features); or rows of length 1. Default "signs". */
  readonly rows?: "signs" | "unit";
  /** Of random columns. Default 123. */
  readonly seed?: number;
}

/** Choices of random columns that are compared. */
const DRAWS = 64;

/**
 * Returns the code of Hadamard rows: entry (-1)^popcount(row AND column). It is generated in the program: a file needs none of it.
 *
 * A learned scale starts at 1 / sqrt(classes) (times sqrt(features) for rows of length 1), biases uniform in +-1 / sqrt(classes).
 * Rows are orthogonal where the features are a multiple of the power of two above the last row; otherwise nearly so.
 *
 * @throws OptionError when built, with "biorthogonal", for more than twice as many classes as rows: the message says how many.
 * @see Hoffer, Hubara, Soudry 2018, "Fix your classifier", arXiv:1801.04540, section 2.2
 * @example
 * nn.fixedHead({ code: nn.hadamardCode({ wide: "random-columns" }) });
 */
export function hadamardCode(options: HadamardCodeOptions = {}): ClassCode {
  const { row0 = "skip", wide = "biorthogonal", rows: norm = "signs", seed = 123 } = options;
  const firstRow = row0 === "skip" ? 1 : 0;
  const rowsOf = (classes: number, features: number): HadamardRows => {
    const factor = norm === "unit" ? 1 / Math.sqrt(features) : 1;
    // Rows differ within the first columns up to this number, and repeat from there on.
    const different = powerOfTwoFrom(features) - firstRow;
    if (classes <= different || wide === "truncate") return { firstRow, rows: classes, columns: undefined, factor };
    if (wide === "random-columns") {
      return { firstRow, rows: classes, columns: bestColumns(firstRow + classes, features, seed), factor };
    }
    if (classes > 2 * different) {
      throw new OptionError(
        `hadamardCode: classes must be at most ${2 * different} for ${features} features with both signs of ${different} rows, ` +
          `got ${classes}. Take wide: "random-columns", or spreadCode.`,
      );
    }
    return { firstRow, rows: different, columns: undefined, factor };
  };
  return {
    name: "hadamard",
    initialScale: (classes) => 1 / Math.sqrt(classes),
    initialBias: (classes) => uniform({ low: -1 / Math.sqrt(classes), high: 1 / Math.sqrt(classes) }),
    prototypes: (classes, features) => {
      const hadamard = rowsOf(classes, features);
      return { hadamard, matrix: () => matrixOf(hadamard, classes, features) };
    },
  };
}

function matrixOf({ firstRow, rows, columns, factor }: HadamardRows, classes: number, features: number): Float64Array {
  const matrix = new Float64Array(classes * features);
  for (let c = 0; c < classes; c++) {
    const sign = c < rows ? factor : -factor;
    for (let j = 0; j < features; j++) {
      matrix[c * features + j] = sign * hadamardEntry(firstRow + (c % rows), columns ? columns[j]! : j);
    }
  }
  return matrix;
}

/**
 * Returns the columns among which the largest |cosine| of two rows is least. The product of rows r and s over chosen columns is that of
 * row (r XOR s) with the choice: one fast transform gives all of them.
 */
function bestColumns(lastRow: number, features: number, seed: number): readonly number[] {
  const order = powerOfTwoFrom(lastRow);
  const random = seededRandom(seed);
  let best: { readonly columns: readonly number[]; readonly coherence: number } | undefined;
  for (let draw = 0; draw < DRAWS; draw++) {
    // Not column 0, the same in all rows, which there are enough others for.
    const drawn = shuffledIndices(order - 1, random).slice(0, features);
    const columns = Array.from(drawn, (column) => column + 1).sort((a, b) => a - b);
    const chosen = new Float64Array(order);
    for (const column of columns) chosen[column] = 1;
    const products = fastWalshHadamard(chosen, order);
    const coherence = products.reduce(
      (most, product, row) => (row === 0 ? most : Math.max(most, Math.abs(product))),
      0,
    );
    if (!best || coherence < best.coherence) best = { columns, coherence };
  }
  return best!.columns;
}
