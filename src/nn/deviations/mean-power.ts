/** Deviations that are means of powers: L1, L2, Lp. */
import type { Value } from "../../program/index.ts";
import type { Channels, ConstantKind, Deviation } from "./deviation.ts";
import { normalMoment } from "./gaussian.ts";

/**
 * S = mean |x - mu|^p, d = (c^p S + epsilon)^(1/p).
 *
 * dS/dx_i = p / n (f_i - mean f) with f = |x - mu|^(p-1) sign(x - mu) and sign(0) = 0: an element that equals the mean has no
 * side, which is common where numbers are few (half precision, codes).
 *
 * The exact constant is m_p^(-1/p) with m_p = E|z|^p. The reference code has it for L1, sqrt(pi / 2); for other p it has none.
 *
 * @see Norm matters, arXiv:1803.01814, section 3
 */
export function meanPower(p: number): Deviation {
  const exact = normalMoment(p) ** (-1 / p);
  return {
    name: `l${p}`,
    least: 2,
    chunks: 1,
    constant: (_n: number, kind: ConstantKind) =>
      kind === "exact" || p === 1 ? exact : kind === "reference" ? 1 : undefined,
    statistic: ({ batches, x, mean }) => batches.mean(power(batches.center(x, mean), p, batches.ops)),
    denominator: (statistic, c, epsilon, { ops }) => root(ops.add(times(statistic, c ** p, ops), epsilon), p, ops),
    // dd/dS = c^p / p d^(1 - p)
    slope: (d, c, { ops }) => (p === 1 ? c : times(p === 2 ? ops.reciprocal(d) : ops.pow(d, 1 - p), c ** p / p, ops)),
    derivative: (channels) => {
      const { batches, x, mean } = channels;
      const { ops, count } = batches;
      const centered = batches.center(x, mean);
      // The mean of f is 0 for p = 2.
      if (p === 2) return { field: { values: centered, scale: 2 / count } };
      if (p === 1) {
        // f = 2 h - 1: the mean of ones cancels.
        const h = half(centered, ops);
        return { field: { values: h, scale: 2 / count }, offset: times(batches.mean(h), -2 / count, ops) };
      }
      const f = ops.mul(ops.sign(centered), power(centered, p - 1, ops));
      return { field: { values: f, scale: p / count }, offset: times(batches.mean(f), -p / count, ops) };
    },
  };
}

type Writer = Channels["batches"]["ops"];

/** (1 + sign(x)) / 2, as a hard sigmoid steep enough to be a step: half of the time of Sign. */
function half(x: Value, ops: Writer): Value {
  return ops.stopGradient(ops.emit("HardSigmoid", [x], { alpha: { float: 1e38 }, beta: { float: 0.5 } }));
}

/** |x|^p: Pow is many times slower than products. */
function power(x: Value, p: number, ops: Writer): Value {
  if (p === 1) return ops.abs(x);
  return p === 2 ? ops.square(x) : ops.pow(ops.abs(x), p);
}

function root(x: Value, p: number, ops: Writer): Value {
  if (p === 1) return x;
  return p === 2 ? ops.sqrt(x) : ops.pow(x, 1 / p);
}

function times(x: Value, factor: number, ops: Writer): Value {
  return factor === 1 ? x : ops.mul(x, factor);
}
