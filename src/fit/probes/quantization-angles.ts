/** A probe: how far rounding turns the tensors of each layer, against what is expected of Gaussian ones. */
import { predictedCosine, readRoundingStatistics, roundingStatistics } from "../../precision/index.ts";
import type { Probe, ProbeInterval } from "../probe.ts";
import { RoundingObserver } from "./rounding-observer.ts";

/**
 * Returns a probe of what a precision does to the operands and gradients of each layer. Of every tensor that is rounded, under
 * `<layer>.weight`, `<layer>.activation`, `<layer>.gradient` and, where weights have copies of their own, `<layer>.weightGradient`:
 *
 * - `.cosine`: between the tensor and its codes;
 * - `.predicted`: the same for a Gaussian tensor on a grid from minimum to maximum, `predictedCosine`;
 * - `.saturated`: share of numbers that were clipped;
 * - `.underflow`: share of numbers other than 0 that became 0.
 *
 * They are those of one more step on the last batch, by a second compiled program that takes no step; each tensor is reduced to a few
 * numbers where it is computed. What several layers read counts for the first of them.
 *
 * @param every Default: once in each pass over the training data.
 * @throws OptionError when it measures, if the step has no precision.
 * @see Banner, Hubara, Hoffer, Soudry 2018, "Scalable methods for 8-bit training of neural networks", arXiv:1805.11046, section 3
 * @example
 * await fit(plan, { runtime, probes: { angles: quantizationAngles({ steps: 100 }) } });
 */
export function quantizationAngles(every: ProbeInterval = { epochs: 1 }): Probe {
  /** Of each tensor that has one, its predicted cosine: known when the program is written. */
  const predicted = new Map<string, number>();
  const observer = new RoundingObserver("quantizationAngles", (ops, tensor) => {
    const { path, role, bits, rounding, exact } = tensor;
    const name = `${path}.${role}`;
    const count = ops.shapeOf(exact).reduce((a, b) => a * b, 1);
    if (count >= 2) predicted.set(name, predictedCosine({ bits, count, rounding }));
    return { [name]: roundingStatistics(ops, tensor) };
  });
  return {
    every,
    async measure(context) {
      const observed = await observer.observe(context);
      return Object.fromEntries(
        Object.entries(observed).flatMap(([name, written]): [string, number][] => {
          const { cosine, saturated, underflow } = readRoundingStatistics(written);
          return [
            [`${name}.cosine`, cosine],
            [`${name}.predicted`, predicted.get(name) ?? 1],
            [`${name}.saturated`, saturated],
            [`${name}.underflow`, underflow],
          ];
        }),
      );
    },
    release: () => observer.release(),
  };
}

/** A tensor and how far it is turned, for `rankAngles`. */
export interface RankedAngle {
  /** `<layer>.<role>` */
  readonly tensor: string;
  /** In radians; NaN where numbers are not finite, or their squares too large for float32. */
  readonly angle: number;
  /** What is expected of a Gaussian tensor, in radians. */
  readonly predicted: number;
  /** Share of numbers that were clipped. */
  readonly saturated: number;
  /** Share of numbers other than 0 that became 0. */
  readonly underflow: number;
}

/**
 * Returns the tensors that `quantizationAngles` measured, those that rounding turns most first: the layers to keep in float, or to give more
 * bits.
 *
 * @example
 * if (event.type === "probe" && event.name === "angles") console.log(rankAngles(event.values)[0]?.tensor);
 */
export function rankAngles(values: Readonly<Record<string, number>>): RankedAngle[] {
  const angle = (cosine: number): number => Math.acos(Math.min(1, Math.max(-1, cosine)));
  const rank = (one: RankedAngle): number => (Number.isNaN(one.angle) ? Math.PI : one.angle);
  return Object.entries(values)
    .flatMap(([name, cosine]): RankedAngle[] => {
      if (!name.endsWith(".cosine")) return [];
      const tensor = name.slice(0, -".cosine".length);
      return [
        {
          tensor,
          angle: angle(cosine),
          predicted: angle(values[`${tensor}.predicted`] ?? 1),
          saturated: values[`${tensor}.saturated`] ?? 0,
          underflow: values[`${tensor}.underflow`] ?? 0,
        },
      ];
    })
    .sort((a, b) => rank(b) - rank(a));
}
