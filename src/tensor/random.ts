/** Seeded random numbers for host-side work: the same seed gives the same numbers everywhere. */

/** A generator of random numbers. */
export interface Random {
  /** Returns a number uniform in [0, 1), a multiple of 2^-32. */
  uniform(): number;
  /** Returns a number from the standard normal distribution. */
  normal(): number;
  /** Returns an integer uniform in [0, below). */
  integer(below: number): number;
}

/**
 * Makes a generator from a 32-bit seed (sfc32, Chris Doty-Humphrey's small fast counter; passes PractRand).
 *
 * @example
 * const random = seededRandom(1);
 * random.uniform();
 */
export function seededRandom(seed: number): Random {
  let a = 0x9e3779b9 | 0;
  let b = 0x243f6a88 | 0;
  let c = seed | 0;
  let counter = 1;
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 15; i++) next();
  const uniform = (): number => next() / 2 ** 32;
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    integer: (below) => Math.floor(uniform() * below),
  };
}

/** Returns 0 .. count-1 in random order (Fisher-Yates). */
export function shuffledIndices(count: number, random: Random): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    const held = order[i]!;
    order[i] = order[j]!;
    order[j] = held;
  }
  return order;
}
