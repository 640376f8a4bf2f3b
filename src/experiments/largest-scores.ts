/** Decisions for one class, told apart from ties. */

/** How the score of the first class compares with those of the others. */
export interface FirstClassShares {
  /** Percent of the samples in which it is larger than all others. */
  readonly alone: number;
  /** Percent of the samples in which it is as large as the largest of the others, up to rounding. */
  readonly tied: number;
}

/** Scores that differ by less than this share of the largest are the same but for the order of additions. */
const ROUNDING = 1e-5;

/**
 * Compares the first class's score with the others'. An argmax that takes the first of equal scores calls a tie a decision for the first
 * class; features that are all zero, for which all scores are the same, would count as found.
 *
 * @param scores [samples, classes], row-major.
 */
export function firstClassShares(scores: ArrayLike<number>, classes: number): FirstClassShares {
  const samples = scores.length / classes;
  let [alone, tied] = [0, 0];
  for (let sample = 0; sample < samples; sample++) {
    const first = scores[sample * classes]!;
    let [others, size] = [Number.NEGATIVE_INFINITY, Math.abs(first)];
    for (let c = 1; c < classes; c++) {
      const score = scores[sample * classes + c]!;
      others = Math.max(others, score);
      size = Math.max(size, Math.abs(score));
    }
    if (Math.abs(first - others) <= ROUNDING * size) tied++;
    else if (first > others) alone++;
  }
  return { alone: (100 * alone) / samples, tied: (100 * tied) / samples };
}
