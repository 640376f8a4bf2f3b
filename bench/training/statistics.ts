/** Summaries of measured times. */

/** Returns the value below which a share of the sorted numbers lies, interpolated between neighbours (NumPy's default). */
export function quantile(numbers: readonly number[], share: number): number {
  if (numbers.length === 0) throw new RangeError("quantile: numbers must not be empty.");
  const sorted = [...numbers].sort((a, b) => a - b);
  const position = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(position)]!, sorted[Math.ceil(position)]!];
  return below + (above - below) * (position - Math.floor(position));
}

export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5);
}

/** A ratio measured in rounds: its median, and the quarter and three-quarter points. */
export interface Ratio {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** One turn of each side, directly after one another: the times of the steps in milliseconds. */
export interface Round {
  /** Of each way of ours that is measured. */
  readonly ours: readonly (readonly number[])[];
  readonly peer: readonly number[];
}

/** Returns the peer's time over one of ours. Each round is one ratio, of neighbours in time, so that a machine's moods cancel. */
export function ratioOf(rounds: readonly Round[], way = 0): Ratio {
  const ratios = rounds.map(({ ours, peer }) => median(peer) / median(ours[way]!));
  return { median: median(ratios), low: quantile(ratios, 0.25), high: quantile(ratios, 0.75) };
}
