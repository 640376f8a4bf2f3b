/** The definition of random values once more, in plain JavaScript: what every device must give, bit for bit. */
import { NORMAL_COEFFICIENTS } from "./normal-coefficients.ts";

/** Returns `count` uniform numbers of a call, as `seededValues` must give them. */
export function referenceUniform(count: number, seed: number, place: number, call: number): Float32Array {
  return Float32Array.from(words(count, seed, place, call), (word) => (word >>> 8) / 2 ** 24);
}

/** Returns `count` normal numbers made of this call and the next. */
export function referenceNormal(count: number, seed: number, place: number, call: number): Float32Array {
  const [first, second] = [words(count, seed, place, call), words(count, seed, place, call + 1)];
  return Float32Array.from(first, (word, i) => {
    const sum = halves(word) + halves(second[i]!);
    const x = (sum - 131070) / 65536;
    const square = Math.fround(x * x);
    const coefficients = NORMAL_COEFFICIENTS.map(Math.fround);
    // One rounding to float32 after each product and sum.
    let result = Math.fround(square * coefficients.at(-1)!);
    for (const c of coefficients.slice(1, -1).reverse()) result = Math.fround(Math.fround(result + c) * square);
    return Math.fround(Math.fround(result + coefficients[0]!) * x);
  });
}

function words(count: number, seed: number, place: number, call: number): Uint32Array {
  const [seedKey, placeKey] = [key(seed), key(place)];
  const columns = Math.min(count, 1024);
  const row = (i: number) => mixed(hash(hash(i) + Math.imul(2 * call, 0x85ebca6b)), seedKey, placeKey);
  const column = (j: number) => mixed(hash(hash(j) + Math.imul(2 * call + 1, 0x85ebca6b)), seedKey, placeKey);
  return Uint32Array.from({ length: count }, (_, index) => {
    const y = (row(Math.floor(index / columns)) + column(index % columns)) | 0;
    return Math.imul(fold(Math.imul(y, 2 * y + 1), 16), 0x735a2d97);
  });
}

function key(counter: number): number {
  const x = Math.imul(Number(BigInt.asIntN(32, BigInt(counter))) + 0x9e3779b9, 0x21f0aaad);
  return fold(Math.imul(fold(x, 16), 0x735a2d97), 15);
}

function mixed(start: number, seedKey: number, placeKey: number): number {
  const x = Math.imul((start + seedKey) | 0, 0x21f0aaad);
  const y = Math.imul((fold(x, 16) + placeKey) | 0, 0x735a2d97);
  return fold(Math.imul(fold(y, 15), 0x21f0aaad), 16);
}

function hash(word: number): number {
  let x = (word + 0x9e3779b9) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return x ^ (x >>> 15);
}

function fold(x: number, bits: number): number {
  return (x + (x >>> bits)) | 0;
}

function halves(word: number): number {
  const x = Math.imul(fold(word, 15), 0x2c1b3c6d);
  return (x >>> 16) + (x & 0xffff);
}
