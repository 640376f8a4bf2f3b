/** Entropy of quantized codes: the bits per value that an ideal entropy coder would need. */
import { type Grid, gridRange } from "./grid.ts";
import { type Histogram, histogramTotal } from "./histogram.ts";
import { type Activation, activationBounds } from "./measured-error.ts";

/** Returns the entropy of a distribution given by counts (or shares), in bits. */
export function entropyOfCounts(counts: Iterable<number>): number {
  let total = 0;
  let sum = 0;
  for (const count of counts) {
    if (count <= 0) continue;
    total += count;
    sum += count * Math.log2(count);
  }
  return total > 0 ? Math.max(0, Math.log2(total) - sum / total) : 0;
}

/** Returns the entropy of codes, bits per value. */
export function entropyOfCodes(codes: Uint8Array | Int8Array | Int32Array): number {
  const counts = new Map<number, number>();
  for (let i = 0; i < codes.length; i++) counts.set(codes[i]!, (counts.get(codes[i]!) ?? 0) + 1);
  return entropyOfCounts(counts.values());
}

/** Returns the entropy of the codes of a histogram's values on a grid, bits per value; see `measuredMse` for `activation`. */
export function measuredEntropy(histogram: Histogram, grid: Grid, activation: Activation = {}): number {
  const below = cumulative(histogram, activation);
  const { low } = gridRange(grid);
  const levels = 2 ** grid.bits;
  const counts = new Float64Array(levels);
  let before = 0;
  for (let level = 0; level < levels; level++) {
    const upTo = level === levels - 1 ? 1 : below(low + (level + 0.5) * grid.scale);
    counts[level] = upTo - before;
    before = upTo;
  }
  return entropyOfCounts(counts);
}

/** The share of values below x, after the activation; linear within bins. */
function cumulative(histogram: Histogram, activation: Activation): (x: number) => number {
  const { low, high, counts } = histogram;
  const [floor, ceiling] = activationBounds(activation);
  const total = histogramTotal(histogram);
  const sums = new Float64Array(counts.length + 1);
  for (let i = 0; i < counts.length; i++) sums[i + 1] = sums[i]! + counts[i]! / total;
  return (x) => {
    if (x <= floor || x <= low) return 0;
    if (x > ceiling || x >= high) return 1;
    const position = ((x - low) / (high - low)) * counts.length;
    const bin = Math.min(counts.length - 1, Math.floor(position));
    return sums[bin]! + (sums[bin + 1]! - sums[bin]!) * (position - bin);
  };
}
