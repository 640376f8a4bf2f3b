/** Fixed heads of language models: the same network with learned, tied and fixed vectors of words. */
import type { Layer } from "../build/index.ts";
import type { Dataset, TrainingData } from "../data/index.ts";
import { openTrainingData } from "../files/index.ts";
import type { RecipeInput } from "../fit/index.ts";
import * as nn from "../nn/index.ts";
import { seededRandom, Tensor, toNumbers } from "../tensor/index.ts";
import type { Claim } from "./claims.ts";
import { type Estimate, estimate } from "./estimate.ts";
import type { Lab, ResultTable } from "./experiment.ts";
import { limitVocabulary } from "./limit-vocabulary.ts";
import { trainHead } from "./train-head.ts";

/** A language model of words. */
export interface WordTask {
  readonly recipe: RecipeInput;
  /** Words that the network knows; all others are one. */
  readonly vocabulary: number;
  /** What the head reads. */
  readonly features: number;
  /** About how long one training takes on two cores. */
  readonly seconds: number;
}

/** What a language model came to. */
export interface WordResult {
  /** e to the power of the mean cross-entropy of the test text's words. */
  readonly perplexity: number;
  /** Percent of the test text's words that the network does not know: they count as one word. */
  readonly unknown: number;
}

/** Where the vectors of the head come from. */
export const WORD_HEADS = [
  { key: "learned", title: "learned" },
  { key: "tied", title: "tied: the embedding" },
  { key: "information", title: "fixed: mutual information" },
  { key: "random", title: "fixed: random orthogonal" },
] as const;
export type WordHead = (typeof WORD_HEADS)[number]["key"];

/** Trains the language model with a head. */
export async function trainWords(lab: Lab, task: WordTask, key: WordHead): Promise<WordResult> {
  const { recipe, vocabulary, features } = task;
  const { set } = lab.dataSet(recipe.data.set);
  const data = limitVocabulary(await openTrainingData(set, { length: recipe.data.length }), vocabulary);
  const isTied = key === "tied" && { tiedEmbedding: true };
  const head = await wordHead(key, data, features);
  const { test } = await trainHead(lab, {
    recipe: { ...recipe, model: { ...recipe.model, ...isTied } as RecipeInput["model"] },
    data,
    ...(head && { head }),
  });
  return { perplexity: Math.exp(test.loss), unknown: await unknownShare(data) };
}

/** Fixed directions, all of length 1; undefined for heads that recipes have. */
async function wordHead(
  key: WordHead,
  { train, classes: count }: TrainingData,
  features: number,
): Promise<((classes: number) => Layer) | undefined> {
  if (key === "learned" || key === "tied") return undefined;
  const matrix =
    key === "information"
      ? nn.mutualInformationEmbedding(toNumbers((await allOf(train)).x!), { count, features })
      : randomDirections(count, features);
  return nn.fixedHead({ code: nn.matrixCode(matrix) });
}

/** Rows of a matrix with orthonormal columns, lengthened to 1, so that no head has another scale than the rest. */
function randomDirections(count: number, features: number): Tensor {
  const matrix = Float32Array.from(nn.orthogonal()([count, features], seededRandom(123)));
  for (let row = 0; row < count; row++) {
    const vector = matrix.subarray(row * features, (row + 1) * features);
    const length = Math.hypot(...vector);
    for (let j = 0; j < features; j++) vector[j]! /= length;
  }
  return new Tensor("float32", [count, features], matrix);
}

/** All samples in order: text is cut into windows that follow each other. */
async function allOf(dataset: Dataset) {
  return dataset.batch!(Array.from({ length: dataset.count }, (_, index) => index));
}

async function unknownShare({ test, classes }: TrainingData): Promise<number> {
  const words = toNumbers((await allOf(test!)).label!);
  return (100 * words.reduce((sum, word) => sum + (word === classes - 1 ? 1 : 0), 0)) / words.length;
}

type WordsOf = (key: WordHead) => readonly WordResult[];

/** Perplexity by head. */
export function wordTable({ vocabulary, features }: WordTask, of: WordsOf): ResultTable {
  return {
    title: "Language model of words",
    note:
      `One LSTM of ${features} on tiny Shakespeare, ${vocabulary} words; ${of("learned")[0]!.unknown.toFixed(0)} % of the test text's words are others, ` +
      "which count as one. Perplexity of the last tenth of the text, ± one standard error over seeds; the ratio is to a learned head.",
    columns: [
      { key: "head", header: "vectors of the head" },
      { key: "perplexity", header: "perplexity", digits: 1 },
      { key: "ratio", header: "ratio", digits: 3 },
    ],
    rows: WORD_HEADS.map(({ key, title }) => ({
      head: title,
      perplexity: estimate(of(key).map(({ perplexity }) => perplexity)),
      ratio: ratio(of, key, "learned"),
    })),
  };
}

/** Perplexity of one head over that of another, seed by seed. */
function ratio(of: WordsOf, over: WordHead, under: WordHead): Estimate {
  return estimate(of(over).map(({ perplexity }, seed) => perplexity / of(under)[seed]!.perplexity));
}

/** learned ~ tied <= mutual information << random. */
export function wordClaims(of: WordsOf): Claim[] {
  return [
    {
      statement: "Words: the perplexity of a tied head is within 10 % of a learned one's",
      measured: ratio(of, "tied", "learned"),
      above: 0.9,
      below: 1.1,
      evidence: "consistent",
      decisive: true,
    },
    {
      statement: "Words: fixed vectors of mutual information are no better than learned ones (ratio of perplexities)",
      measured: ratio(of, "information", "learned"),
      above: 1,
      evidence: "consistent",
      decisive: true,
    },
    {
      statement: "Words: random orthogonal vectors are worse than those of mutual information by 10 % of perplexity",
      measured: ratio(of, "random", "information"),
      above: 1.1,
      evidence: "clear",
      decisive: true,
    },
  ];
}
