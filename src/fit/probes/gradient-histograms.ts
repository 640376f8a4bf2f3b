/** A probe: over how many powers of two the gradients of each layer are spread. */
import { OptionError } from "../../errors.ts";
import { magnitudeHistogram, readMagnitudeHistogram } from "../../precision/index.ts";
import type { Probe, ProbeInterval } from "../probe.ts";
import { RoundingObserver } from "./rounding-observer.ts";

/** What is counted, and how often. */
export interface GradientHistogramOptions {
  /** Powers of two that are told apart, from 1 to 64. Default 24. */
  readonly bins?: number;
  /** Default: once in each pass over the training data. */
  readonly every?: ProbeInterval;
}

/**
 * Returns a probe of the magnitudes of the gradients that a precision rounds, before it does: `<layer>.largest`, `<layer>.zeros` (share of
 * zeros), and as `<layer>.2^-k` the share of numbers with 2^-(k + 1) < |g| / largest <= 2^-k; the last of them holds all that are
 * smaller. Codes of M bits round to 0 what lies more than about M powers of two below the largest.
 *
 * They are those of one more step on the last batch, by a second compiled program that takes no step.
 *
 * @throws OptionError if `bins` is not such a number; when it measures, if the step has no precision.
 * @example
 * await fit(plan, { runtime, probes: { gradients: gradientHistograms({ bins: 16 }) } });
 */
export function gradientHistograms({ bins = 24, every = { epochs: 1 } }: GradientHistogramOptions = {}): Probe {
  if (!Number.isInteger(bins) || bins < 1 || bins > 64) {
    throw new OptionError(`gradientHistograms: bins must be a whole number from 1 to 64, got ${bins}.`);
  }
  const observer = new RoundingObserver("gradientHistograms", (ops, { path, role, exact }) =>
    role === "gradient" ? { [`${path}.${role}`]: magnitudeHistogram(ops, exact, bins) } : {},
  );
  return {
    every,
    async measure(context) {
      const observed = await observer.observe(context);
      return Object.fromEntries(
        Object.entries(observed).flatMap(([name, written]): [string, number][] => {
          const layer = name.slice(0, -".gradient".length);
          const { largest, zeros, bins: shares } = readMagnitudeHistogram(written);
          return [
            [`${layer}.largest`, largest],
            [`${layer}.zeros`, zeros],
            ...shares.map((share, k): [string, number] => [`${layer}.2^-${k}`, share]),
          ];
        }),
      );
    },
    release: () => observer.release(),
  };
}
