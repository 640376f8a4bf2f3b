/** Which class wins. */

/** Returns, for each of `samples` rows of scores, the index of the largest. */
export function topClasses(scores: ArrayLike<number>, samples: number): number[] {
  const classes = scores.length / samples;
  return Array.from({ length: samples }, (_, sample) => {
    let best = 0;
    for (let c = 1; c < classes; c++) if (scores[sample * classes + c]! > scores[sample * classes + best]!) best = c;
    return best;
  });
}
