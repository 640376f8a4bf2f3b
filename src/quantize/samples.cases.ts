/** Seeded samples of known distributions, for tests. */
import { seededRandom } from "../tensor/index.ts";

/** Values from Laplace(0, b = 1). */
export function laplaceSamples(count: number, seed: number): Float32Array {
  const random = seededRandom(seed);
  return filled(count, () => {
    const u = random.uniform() - 0.5;
    return -Math.sign(u) * Math.log(1 - 2 * Math.abs(u));
  });
}

/** Values from Gauss(0, sigma = 1). */
export function gaussSamples(count: number, seed: number): Float32Array {
  const random = seededRandom(seed);
  return filled(count, () => random.normal());
}

/** Values from the exponential distribution of mean 1. */
export function exponentialSamples(count: number, seed: number): Float32Array {
  const random = seededRandom(seed);
  return filled(count, () => -Math.log(1 - random.uniform()));
}

/** Mean of the squared differences. */
export function meanSquaredError(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return sum / a.length;
}

function filled(count: number, draw: () => number): Float32Array {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = draw();
  return values;
}
