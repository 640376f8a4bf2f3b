/** Statistics of activations from the batch norms of a model: calibration without data (Nagel et al. 2019, section 4.2). */
import { boundsOf, isInferenceBatchNorm } from "../prepare/index.ts";
import type { Node, Program, Value } from "../program/index.ts";
import { toNumbers } from "../tensor/index.ts";
import { erfc } from "./aciq/erfc.ts";
import type { ValueStatistics } from "./calibrate.ts";
import { CHANNEL_HISTOGRAM_BINS, HISTOGRAM_BINS } from "./histogram.ts";
import type { Histogram, Statistics } from "./statistics.ts";

/** Mean and variance of each channel of a value, its values taken as normally distributed. */
interface ChannelMoments {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

/** Ranges reach this many standard deviations from the mean, as in data-free quantization. */
const REACH = 6;

/** Counted as so many values: enough for every method that wants a minimum. */
const NOMINAL_COUNT = 1e6;

/**
 * Returns what the batch norms of a model say about the values of the program prepared from it: a batch norm's output has
 * mean beta and standard deviation |gamma| in each channel. ReLU, Clip, sums (of independent terms), pools and
 * concatenations carry that on.
 *
 * @param original The model as it was read, with its BatchNormalization nodes.
 * @param prepared The program prepared from it, where their outputs have the same names.
 */
export function batchNormStatistics(original: Program, prepared: Program): Map<Value, ValueStatistics> {
  const moments = new Map<Value, ChannelMoments>();
  const seeds = batchNormMoments(original);
  for (const node of prepared.graph.nodes) {
    const [output] = node.outputs;
    if (!output) continue;
    const known = seeds.get(output.name) ?? carriedMoments(node, prepared, moments);
    if (known) moments.set(output, known);
  }
  return new Map([...moments].map(([value, known]) => [value, toStatistics(known)]));
}

function batchNormMoments(program: Program): Map<string, ChannelMoments> {
  const seeds = new Map<string, ChannelMoments>();
  for (const node of program.graph.nodes) {
    const gamma = node.inputs[1]?.constant;
    const beta = node.inputs[2]?.constant;
    if (!isInferenceBatchNorm(node, program) || !gamma || !beta) continue;
    seeds.set(node.output().name, {
      mean: toNumbers(beta.load()),
      variance: toNumbers(gamma.load()).map((scale) => scale * scale),
    });
  }
  return seeds;
}

/** Operators that leave the distribution of each channel (about) as it is. */
const KEEPING: ReadonlySet<string> = new Set([
  "MaxPool",
  "AveragePool",
  "GlobalAveragePool",
  "Identity",
  "Dropout",
  "Flatten",
]);

function carriedMoments(
  node: Node,
  program: Program,
  moments: ReadonlyMap<Value, ChannelMoments>,
): ChannelMoments | undefined {
  const inputs = node.inputs.map((input) => input && moments.get(input));
  const [first] = inputs;
  if (node.domain !== "" || !first) return undefined;
  const bounds = boundsOf(node, node.input(0), program);
  if (bounds) return clipped(first, bounds);
  if (node.operator === "Add" && inputs[1]?.mean.length === first.mean.length) return sum(first, inputs[1]);
  if (node.operator === "Concat" && node.int("axis") === 1 && inputs.every((input) => input !== undefined))
    return joined(inputs);
  if (node.operator === "Flatten")
    return node.inputs[0]?.shape?.slice(2).every((length) => length === 1) ? first : undefined;
  return KEEPING.has(node.operator) ? first : undefined;
}

function sum(a: ChannelMoments, b: ChannelMoments): ChannelMoments {
  return {
    mean: a.mean.map((mean, c) => mean + b.mean[c]!),
    variance: a.variance.map((variance, c) => variance + b.variance[c]!),
  };
}

function joined(parts: readonly ChannelMoments[]): ChannelMoments {
  return {
    mean: Float64Array.from(parts.flatMap((part) => [...part.mean])),
    variance: Float64Array.from(parts.flatMap((part) => [...part.variance])),
  };
}

/** Moments of min(max(X, low), high) for normal X. */
function clipped({ mean, variance }: ChannelMoments, { low, high }: { low: number; high: number }): ChannelMoments {
  const result = { mean: mean.slice(), variance: variance.slice() };
  for (let c = 0; c < mean.length; c++) {
    const mu = mean[c]!;
    const sigma = Math.sqrt(variance[c]!);
    const a = (low - mu) / sigma;
    const b = (high - mu) / sigma;
    if (sigma === 0) {
      result.mean[c] = Math.min(Math.max(mu, low), high);
      continue;
    }
    const inside = cumulative(b) - cumulative(a);
    const slope = density(a) - density(b);
    const ends = finite(low) * cumulative(a) + finite(high) * (1 - cumulative(b));
    const first = ends + mu * inside + sigma * slope;
    const edge = (Number.isFinite(a) ? a * density(a) : 0) - (Number.isFinite(b) ? b * density(b) : 0);
    const inner = (mu * mu + sigma * sigma) * inside + 2 * mu * sigma * slope + sigma * sigma * edge;
    const second = finite(low) ** 2 * cumulative(a) + finite(high) ** 2 * (1 - cumulative(b)) + inner;
    result.mean[c] = first;
    result.variance[c] = Math.max(0, second - first * first);
  }
  return result;
}

function finite(bound: number): number {
  return Number.isFinite(bound) ? bound : 0;
}

function density(x: number): number {
  return Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
}

function cumulative(x: number): number {
  return 0.5 * erfc(-x / Math.SQRT2);
}

function toStatistics({ mean, variance }: ChannelMoments): ValueStatistics {
  const channels = Array.from(mean, (mu, c) => normalStatistics(mu, Math.sqrt(variance[c]!)));
  const low = Math.min(...channels.map(({ min }) => min));
  const high = Math.max(...channels.map(({ max }) => max));
  const histogram = mixtureHistogram(mean, variance, low, high);
  return {
    inputs: { means: mean, variances: variance },
    channels,
    tensor: { ...histogramMoments(histogram), histogram },
  };
}

function normalStatistics(mean: number, sigma: number): Statistics {
  const min = mean - REACH * sigma;
  const max = mean + REACH * sigma;
  const histogram = mixtureHistogram([mean], [sigma * sigma], min, max);
  return {
    count: NOMINAL_COUNT,
    min,
    max,
    mean,
    meanAbsoluteDeviation: sigma * Math.sqrt(2 / Math.PI),
    standardDeviation: sigma,
    histogram,
  };
}

/** Expected counts of a mixture of normal distributions, all channels in equal shares. */
function mixtureHistogram(
  means: ArrayLike<number>,
  variances: ArrayLike<number>,
  low: number,
  high: number,
): Histogram {
  const bins = means.length === 1 ? CHANNEL_HISTOGRAM_BINS : HISTOGRAM_BINS;
  const counts = new Float64Array(bins);
  const width = (high - low) / bins;
  const share = NOMINAL_COUNT / means.length;
  for (let c = 0; c < means.length; c++) {
    const sigma = Math.sqrt(variances[c]!);
    const from = Math.max(0, Math.floor((means[c]! - REACH * sigma - low) / width) || 0);
    const to = Math.min(bins, Math.ceil((means[c]! + REACH * sigma - low) / width) || 1);
    let below = sigma > 0 ? cumulative((low + from * width - means[c]!) / sigma) : 0;
    for (let bin = from; bin < to; bin++) {
      const above = sigma > 0 ? cumulative((low + (bin + 1) * width - means[c]!) / sigma) : 1;
      counts[bin]! += share * (above - below);
      below = above;
    }
  }
  return { low, high, counts };
}

function histogramMoments({ low, high, counts }: Histogram): Statistics {
  const width = (high - low) / counts.length;
  const at = (bin: number): number => low + (bin + 0.5) * width;
  const total = counts.reduce((a, b) => a + b, 0);
  const average = (of: (x: number) => number): number =>
    counts.reduce((sum, count, bin) => sum + count * of(at(bin)), 0) / total;
  const mean = average((x) => x);
  return {
    count: NOMINAL_COUNT,
    min: low,
    max: high,
    mean,
    meanAbsoluteDeviation: average((x) => Math.abs(x - mean)),
    standardDeviation: Math.sqrt(average((x) => (x - mean) ** 2)),
  };
}
