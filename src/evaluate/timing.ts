/** Measuring how long runs take, fairly: competitors in turn, after a warm-up. */

/** How long to measure. */
export interface TimingOptions {
  /** Runs that are not counted. Default 3. */
  readonly warmupRuns?: number;
  /** Fewest counted runs of each, unless they take more than ten times `seconds`. Default 30. */
  readonly minRuns?: number;
  /** Most counted runs of each. Default 300. */
  readonly maxRuns?: number;
  /** Time for each competitor after which measuring ends once there are `minRuns`. Default 2. */
  readonly seconds?: number;
}

/** Fewest runs a median is taken of, however slow they are. */
const FEWEST_RUNS = 5;

/**
 * Times several tasks in turn (A, B, A, B, ...), so that whatever else the machine does meets all of them alike.
 *
 * @returns Milliseconds of each counted run, in order, one array a task; all of one length.
 */
export async function timeAlternately(
  tasks: readonly (() => Promise<unknown>)[],
  { warmupRuns = 3, minRuns = 30, maxRuns = 300, seconds = 2 }: TimingOptions = {},
): Promise<readonly Float64Array[]> {
  const durations = tasks.map((): number[] => []);
  const budgetMs = seconds * 1000 * tasks.length;
  for (let run = 0; run < warmupRuns; run++) for (const task of tasks) await task();
  const begin = performance.now();
  for (let run = 0; run < maxRuns; run++) {
    const elapsedMs = performance.now() - begin;
    if (run >= minRuns && elapsedMs >= budgetMs) break;
    if (run >= FEWEST_RUNS && elapsedMs >= 10 * budgetMs) break;
    for (const [i, task] of tasks.entries()) {
      const start = performance.now();
      await task();
      durations[i]!.push(performance.now() - start);
    }
  }
  return durations.map((list) => Float64Array.from(list));
}

/** Returns the value below which `fraction` of the numbers lie, interpolated between neighbours; NaN for none. */
export function quantile(numbers: Float64Array, fraction: number): number {
  const sorted = Float64Array.from(numbers).sort();
  const at = fraction * (sorted.length - 1);
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}
