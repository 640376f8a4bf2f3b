/** Text as tokens, and windows of tokens as samples of a language model. */
import { DataError } from "../errors.ts";
import type { Tensor } from "../tensor/index.ts";
import type { Dataset } from "./dataset.ts";
import { int64Numbers } from "./int64-numbers.ts";

/** What one token is. */
export type TokenUnit = "character" | "word";

/** Name of the token that stands for all that the training text does not have. */
export const UNKNOWN_TOKEN = "<unk>";

/** The tokens a model knows, in order. */
export interface Vocabulary {
  readonly tokens: readonly string[];
  /** Returns a text as numbers of tokens; unknown ones are that of `UNKNOWN_TOKEN`. */
  encode(text: string): Int32Array;
}

/**
 * Cuts a text into tokens: characters (code points), or words, which are what lies between white space, and line ends as words of
 * their own.
 */
export function tokenize(text: string, unit: TokenUnit): readonly string[] {
  return unit === "character"
    ? Array.from(text)
    : (text.match(/\r?\n|[^\s]+/g) ?? []).map((word) => (word.endsWith("\n") ? "\n" : word));
}

/**
 * Makes the vocabulary of a training text: its characters by code point, or its words, the most frequent first. The last
 * token is `UNKNOWN_TOKEN`.
 *
 * @param size Most tokens; rarer words are unknown. Default: all.
 */
export function makeVocabulary(
  trainingText: string,
  unit: TokenUnit,
  size: number = Number.POSITIVE_INFINITY,
): Vocabulary {
  const counts = new Map<string, number>();
  for (const token of tokenize(trainingText, unit)) counts.set(token, (counts.get(token) ?? 0) + 1);
  const known =
    unit === "character"
      ? [...counts.keys()].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!)
      : [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).map(([word]) => word);
  const tokens = [...known.slice(0, size - 1), UNKNOWN_TOKEN];
  const numbers = new Map(tokens.map((token, number) => [token, number]));
  return {
    tokens,
    encode: (text) => Int32Array.from(tokenize(text, unit), (token) => numbers.get(token) ?? tokens.length - 1),
  };
}

/**
 * Makes windows of tokens that do not overlap: `x` [length] and `label` [length], the token after each, both int64.
 *
 * @throws DataError if there are not enough tokens for one window.
 */
export function tokenWindows(tokens: Int32Array, length: number, description: string): Dataset {
  const count = Math.floor((tokens.length - 1) / length);
  if (count < 1) {
    throw new DataError(
      `${description}: must have at least ${length + 1} tokens for one sample of ${length}, got ${tokens.length}. Choose a smaller length.`,
    );
  }
  const window = (index: number, shift: number) =>
    tokens.subarray(index * length + shift, (index + 1) * length + shift);
  const stacked = (indices: ArrayLike<number>, shift: number): Tensor => {
    const all = new Int32Array(indices.length * length);
    for (let i = 0; i < indices.length; i++) all.set(window(indices[i]!, shift), i * length);
    return int64Numbers(all, [indices.length, length]);
  };
  return {
    description,
    count,
    labels: undefined,
    classNames: undefined,
    inMemory: true,
    sampleName: (index) => `tokens ${index * length}..${(index + 1) * length - 1}`,
    sample: async (index) => ({ x: int64Numbers(window(index, 0)), label: int64Numbers(window(index, 1)) }),
    batch: (indices) => ({ x: stacked(indices, 0), label: stacked(indices, 1) }),
  };
}
