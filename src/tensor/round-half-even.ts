/** Rounding as ONNX rounds. */

/** Returns the integer nearest to x, ties to the even one (as ONNX's Round and QuantizeLinear). Exact for |x| < 2^51. */
export function roundHalfEven(x: number): number {
  // Adding 1.5 * 2^52 leaves no bits for a fraction, so the addition itself rounds, by IEEE 754's default rule.
  return Math.abs(x) < 2 ** 51 ? x + 6755399441055744 - 6755399441055744 : x;
}
