/** How long an experiment still takes, judged by how long its finished parts took. */

/** Work in the seconds it was expected to take, and took. */
export interface WorkDone {
  /** Expected seconds of finished units. */
  readonly expected: number;
  /** Seconds they took. */
  readonly taken: number;
}

/**
 * Returns the seconds left.
 *
 * @param done What is finished.
 * @param current The unit at work: expected seconds, seconds so far, and the share of it that is done.
 * @param ahead Expected seconds of the units behind it.
 */
export function secondsLeft(
  done: WorkDone,
  current: { readonly expected: number; readonly taken: number; readonly fraction: number },
  ahead: number,
): number {
  const expected = done.expected + current.fraction * current.expected;
  // Before the unit has said how far it is, the time it has taken says nothing about the machine's speed.
  const taken = done.taken + (current.fraction > 0 ? current.taken : 0);
  const slowness = expected > 0 ? taken / expected : 1;
  return slowness * ((1 - current.fraction) * current.expected + ahead);
}
