/** Text with fewer words. */
import { type Dataset, int64Numbers, type Sample, type TrainingData, UNKNOWN_TOKEN } from "../data/index.ts";
import { toNumbers } from "../tensor/index.ts";

/**
 * Makes all words but the most frequent unknown.
 *
 * @param data Text whose tokens are numbered by frequency, the most frequent first, as `words` gives it.
 * @param size Words that are left, the unknown one among them.
 */
export function limitVocabulary(data: TrainingData, size: number): TrainingData {
  const limited = (dataset: Dataset): Dataset => ({
    ...dataset,
    sample: async (index) => limitTokens(await dataset.sample(index), size),
    batch: dataset.batch && (async (indices) => limitTokens(await dataset.batch!(indices), size)),
  });
  return {
    ...data,
    train: limited(data.train),
    validation: data.validation && limited(data.validation),
    test: data.test && limited(data.test),
    classes: size,
    classNames: data.classNames && [...data.classNames.slice(0, size - 1), UNKNOWN_TOKEN],
  };
}

function limitTokens(sample: Sample, size: number): Sample {
  const entries = Object.entries(sample).map(([name, tokens]) => {
    const numbers = Int32Array.from(toNumbers(tokens), (token) => Math.min(token, size - 1));
    return [name, int64Numbers(numbers, tokens.shape)] as const;
  });
  return Object.fromEntries(entries);
}
