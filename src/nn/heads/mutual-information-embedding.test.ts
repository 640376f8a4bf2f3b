import { describe, expect, it } from "vitest";
import { OptionError } from "../../errors.ts";
import { seededRandom, toNumbers } from "../../tensor/index.ts";
import { mutualInformationEmbedding } from "./mutual-information-embedding.ts";

/** Two topics of five symbols each, a sentence of one after a sentence of the other; symbol 10 never comes. */
function topics(): number[] {
  const random = seededRandom(1);
  return Array.from({ length: 4000 }, (_, i) => 5 * (Math.floor(i / 20) % 2) + random.integer(5));
}

describe("mutualInformationEmbedding", () => {
  const vectors = mutualInformationEmbedding(topics(), { count: 11, features: 4 });
  const rows = Array.from({ length: 11 }, (_, symbol) => toNumbers(vectors).slice(4 * symbol, 4 * symbol + 4));
  const cosine = (a: number, b: number): number => rows[a]!.reduce((sum, value, k) => sum + value * rows[b]![k]!, 0);

  it("gives symbols that stand together near directions, all of length 1", () => {
    expect(vectors.shape).toEqual([11, 4]);
    for (const row of rows) expect(Math.hypot(...row)).toBeCloseTo(1, 5);
    const within = [cosine(0, 1), cosine(2, 4), cosine(5, 6), cosine(7, 9)];
    const across = [cosine(0, 5), cosine(2, 7), cosine(4, 9)];
    expect(Math.min(...within)).toBeGreaterThan(Math.max(...across) + 0.3);
  });

  it("is the same from the same text, and has directions left for more features than symbols", () => {
    expect(mutualInformationEmbedding(topics(), { count: 11, features: 4 })).toEqual(vectors);
    const wide = toNumbers(mutualInformationEmbedding([0, 1, 2, 1, 0], { count: 3, features: 5 }));
    expect(wide.every(Number.isFinite)).toBe(true);
    expect(() => mutualInformationEmbedding([0], { count: 0, features: 2 })).toThrow(OptionError);
  });

  it.each([
    [[0, 3], "mutualInformationEmbedding: tokens must be whole numbers from 0 to 2, got 3 at place 1."],
    [[-1], "mutualInformationEmbedding: tokens must be whole numbers from 0 to 2, got -1 at place 0."],
  ])("refuses the tokens %j", (tokens, message) => {
    expect(() => mutualInformationEmbedding(tokens, { count: 3, features: 2 })).toThrow(message);
    expect(() => mutualInformationEmbedding([0, 1], { count: 3, features: 0 })).toThrow(
      "mutualInformationEmbedding: features must be a whole number of at least 1, got 0.",
    );
  });

  it("loses information to the shift", () => {
    const shifted = mutualInformationEmbedding(topics(), { count: 11, features: 4, shift: 5 });
    expect(toNumbers(shifted).every(Number.isFinite)).toBe(true);
    expect(shifted).not.toEqual(vectors);
  });
});
