/** CRC-32C (Castagnoli), the checksum of TFRecord files. */

/** The polynomial 0x1EDC6F41 with its bits in reverse, for each value of a byte. */
const TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0x82f63b78 : 0);
  return remainder;
});

/** Returns the CRC-32C of bytes, an unsigned 32-bit number. Source: RFC 3720, appendix B.4. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 0xff]!;
  return (crc ^ 0xffffffff) >>> 0;
}

/**
 * Returns the CRC-32C as TFRecord files store it: rotated right by 15 bits, plus a constant, because the checksum of data
 * that end with their own checksum would not depend on the data.
 */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
