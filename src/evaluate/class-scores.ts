/** Outputs as scores of classes: which class wins, and where the right one stands. */
import type { SampleOutput } from "./sample-outputs.ts";

/** How the scores lie in one sample's output. */
export interface ScoreLayout {
  readonly classCount: number;
  /** Decisions in one sample: 1 for a classifier, one for each token or pixel otherwise. */
  readonly rowCount: number;
  /** Elements from one class to the next within a row. */
  readonly classStride: number;
  /** Elements from one row to the next. */
  readonly rowStride: number;
}

/**
 * Returns how class scores lie in an output (shape without the batch axis), or undefined when it holds none.
 *
 * - [classes], [classes, 1, 1] and [1, classes]: a classifier;
 * - [steps, classes]: a decision at each step along the last axis, as language models make;
 * - [classes, height, width]: a decision at each pixel, as segmentation models make. One channel is no class: a picture.
 */
export function scoreLayout(shape: readonly number[]): ScoreLayout | undefined {
  const lengths = shape.filter((length) => length !== 1);
  const [first] = lengths;
  if (first === undefined) return undefined;
  if (lengths.length === 1) {
    // [1, height, 1] would be a strange picture; a lone axis of length above 1 is taken for classes.
    return { classCount: first, rowCount: 1, classStride: 1, rowStride: first };
  }
  if (shape.length === 2) {
    return { classCount: shape[1]!, rowCount: shape[0]!, classStride: 1, rowStride: shape[1]! };
  }
  if (shape.length === 3 && shape[0]! > 1) {
    const pixels = shape[1]! * shape[2]!;
    return { classCount: shape[0]!, rowCount: pixels, classStride: pixels, rowStride: 1 };
  }
  return undefined;
}

/** Returns the class with the highest score of one row, the first of several; -1 when no score is a number. */
export function topClass({ values }: SampleOutput, layout: ScoreLayout, row = 0): number {
  const { classCount, classStride, rowStride } = layout;
  let best = -1;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (let i = 0, at = row * rowStride; i < classCount; i++, at += classStride) {
    const score = values[at]!;
    if (score > bestScore || (best < 0 && score === bestScore)) {
      best = i;
      bestScore = score;
    }
  }
  return best;
}

/**
 * Returns how many classes stand before `label`: those with a higher score, and those of the same score with a lower
 * number. Infinity when the score of `label` is not a number.
 */
export function rankOf(label: number, { values }: SampleOutput, layout: ScoreLayout): number {
  const { classCount, classStride } = layout;
  const own = values[label * classStride]!;
  if (Number.isNaN(own)) return Number.POSITIVE_INFINITY;
  let rank = 0;
  for (let i = 0; i < classCount; i++) {
    const score = values[i * classStride]!;
    if (score > own || (score === own && i < label)) rank++;
  }
  return rank;
}
