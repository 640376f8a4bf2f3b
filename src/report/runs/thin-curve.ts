/** Drawing long curves with fewer points. */

/**
 * Returns the indices, in order, of at most `most` points that keep the look of a curve, its first and last point among them:
 * the largest triangle in each of equal buckets.
 *
 * @see Steinarsson 2013, "Downsampling Time Series for Visual Representation", section 4.2 (LTTB)
 */
export function thinnedIndices(x: readonly number[], y: readonly number[], most: number): readonly number[] {
  const count = y.length;
  if (count <= most) return y.map((_, i) => i);
  const kept = [0];
  const edge = (bucket: number): number => 1 + Math.floor((bucket * (count - 2)) / (most - 2));
  for (let bucket = 0; bucket < most - 2; bucket++) {
    const next = meanPoint(x, y, edge(bucket + 1), bucket === most - 3 ? count : edge(bucket + 2));
    const before = kept.at(-1)!;
    let [best, largest] = [edge(bucket), -1];
    for (let i = edge(bucket); i < edge(bucket + 1); i++) {
      const area = Math.abs(
        (x[before]! - next.x) * (y[i]! - y[before]!) - (x[before]! - x[i]!) * (next.y - y[before]!),
      );
      if (area > largest) [best, largest] = [i, area];
    }
    kept.push(best);
  }
  return [...kept, count - 1];
}

function meanPoint(x: readonly number[], y: readonly number[], from: number, to: number): { x: number; y: number } {
  const mean = (values: readonly number[]): number =>
    values.slice(from, to).reduce((sum, value) => sum + value, 0) / (to - from);
  return { x: mean(x), y: mean(y) };
}
