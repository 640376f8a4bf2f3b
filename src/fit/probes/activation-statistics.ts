/** A probe: how values inside the network are distributed. */
import { toNumbers } from "../../tensor/index.ts";
import type { Probe, ProbeInterval } from "../probe.ts";

/**
 * Returns a probe of values inside the network, on the same batch every time (the first of the part that is measured first):
 * `<path>.mean`, `<path>.std` (of the population), `<path>.zeros` (the share that is exactly 0, such as behind a ReLU) and
 * `<path>.largest` (the largest absolute value).
 *
 * @param paths Of tapped values: results of layers of `nn.sequential`, and what `scope.tap` was given.
 * @param every Default: once in each pass over the training data.
 * @example
 * await fit(plan, { runtime, probes: { activations: activationStatistics(["stem", "head"]) } });
 */
export function activationStatistics(paths: readonly string[], every: ProbeInterval = { epochs: 1 }): Probe {
  return {
    every,
    async measure(context) {
      const taps = await context.tap(paths);
      return Object.fromEntries(paths.flatMap((path) => statisticsOf(path, toNumbers(taps[path]!))));
    },
  };
}

/** Two passes: the mean first, so that the variance of a large mean does not cancel. */
function statisticsOf(path: string, numbers: ArrayLike<number>): [string, number][] {
  const count = numbers.length;
  let [sum, zeros, largest, squares] = [0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    const x = numbers[i]!;
    sum += x;
    if (x === 0) zeros++;
    largest = Math.max(largest, Math.abs(x));
  }
  const mean = sum / count;
  for (let i = 0; i < count; i++) squares += (numbers[i]! - mean) ** 2;
  return [
    [`${path}.mean`, mean],
    [`${path}.std`, Math.sqrt(squares / count)],
    [`${path}.zeros`, zeros / count],
    [`${path}.largest`, largest],
  ];
}
