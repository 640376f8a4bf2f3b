/** Which samples a network got right, as a string short enough for JSON. */

/** Packs ones and zeros into base64, eight to a byte. */
export function packOutcomes(right: Uint8Array): string {
  const bytes = new Uint8Array(Math.ceil(right.length / 8));
  for (let i = 0; i < right.length; i++) if (right[i]) bytes[i >> 3]! |= 1 << (i & 7);
  return `${right.length}:${Buffer.from(bytes).toString("base64")}`;
}

/** Unpacks what `packOutcomes` packed. */
export function unpackOutcomes(packed: string): Uint8Array {
  const [count, text] = packed.split(":");
  const bytes = Buffer.from(text!, "base64");
  return Uint8Array.from({ length: Number(count) }, (_, i) => (bytes[i >> 3]! >> (i & 7)) & 1);
}
