/** Mean and deviation of what is trained on. */
import type { Dataset } from "./dataset.ts";
import type { Normalization } from "./training-data.ts";

/** Samples read at once. */
const CHUNK = 256;

/**
 * Returns the normalization that gives each channel (or feature) of `x` mean 0 and standard deviation 1 over a data set; a
 * channel that never changes is only shifted.
 *
 * @param dataset Its samples have `x` shaped [channels, ...places], uint8 or float32.
 * @param scale Factor that comes first, such as 1/255.
 */
export async function standardization(dataset: Dataset, channels: number, scale = 1): Promise<Normalization> {
  const sums = new Float64Array(channels);
  const squares = new Float64Array(channels);
  let perChannel = 0;
  // Numbers are taken less the first sample's mean, so that squares of large numbers do not drown their differences.
  const origin = new Float64Array(channels);
  for (let start = 0; start < dataset.count; start += CHUNK) {
    const indices = Uint32Array.from({ length: Math.min(CHUNK, dataset.count - start) }, (_, i) => start + i);
    const samples = await Promise.all(Array.from(indices, (index) => dataset.sample(index)));
    for (const { x } of samples) {
      const data = x!.data as Float32Array;
      const places = data.length / channels;
      if (perChannel === 0) {
        for (let c = 0; c < channels; c++) {
          origin[c] = data.subarray(c * places, (c + 1) * places).reduce((sum, value) => sum + value, 0) / places;
        }
      }
      for (let c = 0; c < channels; c++) {
        for (let i = c * places; i < (c + 1) * places; i++) {
          const value = data[i]! - origin[c]!;
          sums[c]! += value;
          squares[c]! += value * value;
        }
      }
      perChannel += places;
    }
  }
  const shifts = sums.map((sum) => sum / perChannel);
  const mean = Array.from(shifts, (shift, c) => scale * (shift + origin[c]!));
  const std = Array.from(
    shifts,
    (shift, c) => scale * Math.sqrt(Math.max(0, squares[c]! / perChannel - shift * shift)),
  );
  return { scale, mean, std: std.map((value) => (value > 0 ? value : 1)) };
}
