/** How far the outputs of one model are from those of another. */
import { DataError } from "../errors.ts";
import { scoreLayout, topClass } from "./class-scores.ts";
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
      }
    },
    result: () => ({
      agreement: decisions === 0 ? null : (100 * same) / decisions,
      sqnrDb: decibels(signal, noise),
      sampleSqnrDb,
      maxAbsolute,
      cosine: cosines / seen,
    }),
  };
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
