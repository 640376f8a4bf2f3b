/** The mid-rise quantizer of ACIQ's derivation: a model of error, not a deployable grid (zero is not one of its numbers). */

/**
 * Returns values clipped to [-alpha, alpha] and moved to the midpoints of 2^bits equal bins (ACIQ section 1).
 *
 * @param bits Integer of at least 0.
 */
export function midRise(values: Float32Array, alpha: number, bits: number): Float32Array {
  const bins = 2 ** bits;
  const step = (2 * alpha) / bins;
  const moved = new Float32Array(values.length);
  for (let i = 0; i < moved.length; i++) {
    const bin = Math.min(Math.max(Math.floor((values[i]! + alpha) / step), 0), bins - 1);
    moved[i] = (bin + 0.5) * step - alpha;
  }
  return moved;
}
