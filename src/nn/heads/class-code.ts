/** What a class code is: where fixed classifiers take their directions from. */
import type { Initializer } from "../../build/index.ts";

/** Rows of a Hadamard matrix that can be generated: entry (c, j) is factor (-1)^popcount((firstRow + c) AND j). */
export interface HadamardRows {
  readonly firstRow: number;
  /** Rows that are different; the classes beyond them have the same rows with the other sign. */
  readonly rows: number;
  /** Which columns of the matrix the features are; undefined: the first ones. */
  readonly columns: readonly number[] | undefined;
  /** 1, or 1 / sqrt(features) where rows have length 1. */
  readonly factor: number;
}

/** The directions of some classes: Q [classes, features]. */
export interface Prototypes {
  /** Returns Q, row-major. */
  matrix(): Float64Array;
  /** How the rows follow from a Hadamard matrix, if they do. */
  readonly hadamard?: HadamardRows;
}

/** A rule that gives each class a direction in the space of features. */
export interface ClassCode {
  /** What messages call it. */
  readonly name: string;
  /** What a learned scale starts with. */
  readonly initialScale: (classes: number) => number;
  /** What a bias starts with. */
  readonly initialBias: (classes: number) => Initializer;
  /** Returns the directions, the same ones for the same numbers. @throws OptionError if there are more classes than directions. */
  readonly prototypes: (classes: number, features: number) => Prototypes;
}
