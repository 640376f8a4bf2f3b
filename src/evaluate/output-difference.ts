/** How far the outputs of one model are from those of another. */
import { DataError } from "../errors.ts";
import { type ScoreLayout, scoreLayout, topClass } from "./class-scores.ts";
import type { SampleOutput } from "./sample-outputs.ts";

/** Differences over all samples. */
export interface OutputDifference {
  /** Percent of decisions (samples; tokens or pixels where there is one for each) with the same top class; null without. */
  readonly agreement: number | null;
  /** 10 log10(sum reference^2 / sum (output - reference)^2), dB; Infinity when nothing differs. */
  readonly sqnrDb: number;
  /** The same of each sample. */
  readonly sampleSqnrDb: Float64Array;
  readonly maxAbsolute: number;
  /**
   * Kullback-Leibler divergence of the class probabilities from the reference's, mean over decisions, nats: 0 for equal
   * distributions. Null without classes. Scores that are no probabilities are taken as logits.
   */
  readonly divergence: number | null;
  /** Cosine of the angle between outputs as vectors, mean over samples. */
  readonly cosine: number;
}

/** Compares outputs, sample by sample. */
export interface DifferenceMeter {
  /** @throws DataError if the outputs differ in shape. */
  add(index: number, reference: SampleOutput, output: SampleOutput): void;
  result(): OutputDifference;
}

/** Makes a meter. @param where Path of the model, for messages. */
export function differenceMeter(count: number, where: string): DifferenceMeter {
  const sampleSqnrDb = new Float64Array(count).fill(Number.NaN);
  let signal = 0;
  let noise = 0;
  let maxAbsolute = 0;
  let cosines = 0;
  let seen = 0;
  let decisions = 0;
  let same = 0;
  let divergence = 0;
  return {
    add(index, reference, output) {
      if (reference.shape.join() !== output.shape.join()) {
        throw new DataError(
          `${where}: outputs must have the shape of the first model's, [${reference.shape.join(", ")}] a sample, ` +
            `got [${output.shape.join(", ")}]. Choose the output to compare.`,
        );
      }
      const energy = energies(reference.values, output.values);
      signal += energy.reference;
      noise += energy.difference;
      maxAbsolute = Math.max(maxAbsolute, energy.maxAbsolute);
      cosines += cosineOf(energy);
      sampleSqnrDb[index] = decibels(energy.reference, energy.difference);
      seen++;
      const layout = scoreLayout(output.shape);
      for (let row = 0; row < (layout?.rowCount ?? 0); row++) {
        const expected = topClass(reference, layout!, row);
        decisions++;
        if (expected >= 0 && expected === topClass(output, layout!, row)) same++;
        divergence += divergenceOf(reference, output, layout!, row);
      }
    },
    result: () => ({
      agreement: decisions === 0 ? null : (100 * same) / decisions,
      sqnrDb: decibels(signal, noise),
      sampleSqnrDb,
      maxAbsolute,
      divergence: decisions === 0 ? null : divergence / decisions,
      cosine: cosines / seen,
    }),
  };
}

/** Least probability that counts, so that one that vanishes does not make the divergence infinite. */
const LEAST_PROBABILITY = 1e-12;

/** `sum_c p_c log(p_c / q_c)` of one decision, p the reference's probabilities and q the output's. */
function divergenceOf(reference: SampleOutput, output: SampleOutput, layout: ScoreLayout, row: number): number {
  const p = probabilities(reference, layout, row);
  const q = probabilities(output, layout, row);
  let sum = 0;
  for (let c = 0; c < p.length; c++) {
    if (p[c]! > 0) sum += p[c]! * Math.log(p[c]! / Math.max(q[c]!, LEAST_PROBABILITY));
  }
  return Math.max(0, sum);
}

/** The scores of one decision as probabilities: as they are where they add up to one, else their softmax. */
function probabilities({ values }: SampleOutput, layout: ScoreLayout, row: number): Float64Array {
  const { classCount, classStride, rowStride } = layout;
  const scores = Float64Array.from({ length: classCount }, (_, c) => values[row * rowStride + c * classStride]!);
  const total = scores.reduce((sum, score) => sum + score, 0);
  if (Math.abs(total - 1) < 1e-3 && scores.every((score) => score >= 0)) return scores;
  const largest = scores.reduce((most, score) => Math.max(most, score));
  const exponentials = scores.map((score) => Math.exp(score - largest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((exponential) => exponential / sum);
}

interface Energies {
  readonly reference: number;
  readonly output: number;
  readonly product: number;
  readonly difference: number;
  readonly maxAbsolute: number;
}

function energies(reference: ArrayLike<number>, output: ArrayLike<number>): Energies {
  let ofReference = 0;
  let ofOutput = 0;
  let product = 0;
  let ofDifference = 0;
  let maxAbsolute = 0;
  for (let i = 0; i < reference.length; i++) {
    const a = reference[i]!;
    const b = output[i]!;
    ofReference += a * a;
    ofOutput += b * b;
    product += a * b;
    ofDifference += (a - b) * (a - b);
    maxAbsolute = Math.max(maxAbsolute, Math.abs(a - b));
  }
  return { reference: ofReference, output: ofOutput, product, difference: ofDifference, maxAbsolute };
}

function cosineOf({ reference, output, product }: Energies): number {
  if (reference === 0 && output === 0) return 1;
  return product / Math.sqrt(reference * output || 1);
}

function decibels(signal: number, noise: number): number {
  return noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
}
