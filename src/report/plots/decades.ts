/** Powers of ten, for logarithmic axes. */

/** Returns the largest power of ten not above a positive number. */
export function floorDecade(value: number): number {
  return 10 ** Math.floor(Math.log10(value) + 1e-9);
}

/** Returns the smallest power of ten not below a positive number. */
export function ceilingDecade(value: number): number {
  return 10 ** Math.ceil(Math.log10(value) - 1e-9);
}

/** Returns at most five powers of ten in [low, high], evenly spaced, the highest among them. */
export function decades(low: number, high: number): number[] {
  const first = Math.ceil(Math.log10(low) - 1e-6);
  const last = Math.floor(Math.log10(high) + 1e-6);
  const step = Math.max(1, Math.ceil((last - first) / 4));
  const ticks: number[] = [];
  for (let exponent = last; exponent >= first; exponent -= step) ticks.push(10 ** exponent);
  return ticks;
}
