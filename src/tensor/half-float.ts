/** Conversions between float32 and the 16-bit floats, rounding to nearest even. */

const buffer = new DataView(new ArrayBuffer(4));

/** Returns the number that 16 bits of IEEE 754 half precision stand for. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Returns the 16 bits of the half-precision number nearest to `x` (ties to even; beyond 65504 infinite). */
export function numberToHalf(x: number): number {
  buffer.setFloat32(0, x);
  const bits = buffer.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Subnormal: adding 2^-1 * ulp-aligned magic lets float32 addition do the rounding to even.
    buffer.setUint32(0, magnitude);
    const shifted = Math.fround(buffer.getFloat32(0) + 0.5);
    buffer.setFloat32(0, shifted);
    return sign | (buffer.getUint32(0) - 0x3f000000);
  }
  const odd = (magnitude >>> 13) & 1;
  return sign | ((magnitude - 0x38000000 + 0xfff + odd) >>> 13);
}

/** Returns the number that 16 bits of bfloat16 stand for. */
export function bfloat16ToNumber(bits: number): number {
  buffer.setUint32(0, bits << 16);
  return buffer.getFloat32(0);
}

/** Returns the 16 bits of the bfloat16 number nearest to `x` (ties to even). */
export function numberToBfloat16(x: number): number {
  buffer.setFloat32(0, x);
  const bits = buffer.getUint32(0);
  if ((bits & 0x7fffffff) > 0x7f800000) return ((bits >>> 16) | 0x40) & 0xffff;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}
