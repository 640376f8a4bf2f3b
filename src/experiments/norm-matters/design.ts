/** What the studies of norm matters have in common: their design, their results, and what is read from those. */
import type { RecipeInput } from "../../fit/index.ts";
import type { ChannelNorms } from "../../optim/index.ts";
import type { Claim } from "../claims.ts";
import { accuracy, type Estimate, pairedDifference } from "../estimate.ts";
import type { Results, ResultTable, Unit } from "../experiment.ts";
import type { ResultPlot } from "../line-plot.ts";
import { unpackOutcomes } from "../right-or-wrong.ts";
import type { BriefResult } from "../train-briefly.ts";

/** Where perceptrons and convnets learn, and how long. */
export interface NormMattersDesign {
  readonly data: { readonly perceptron: RecipeInput["data"]; readonly convnet: RecipeInput["data"] };
  /** The study of weight decay is longer than the other trainings of perceptrons. */
  readonly epochs: { readonly decay: number; readonly perceptron: number; readonly convnet: number };
  readonly batch: number;
  readonly testSamples: number;
  /** About how long one training takes on two cores. */
  readonly seconds: { readonly decay: number; readonly perceptron: number; readonly convnet: number };
}

/** One trained network. */
export interface NormMattersResult {
  readonly top1: number;
  readonly right: string;
  readonly curve: readonly { readonly epoch: number; readonly top1: number }[];
  /** Why the training broke off, if it did: numbers that are not finite. */
  readonly failure: string | null;
  /** Of the study of weight decay. */
  readonly decay?: {
    /** Mean norm of the channels of the first layer by epoch. */
    readonly firstNorms: readonly number[];
    /** All norms, of the run that others follow. */
    readonly norms: ChannelNorms | null;
    /** Turn of the first layer in a step before the rate first falls, in radians: measured, and at equilibrium. */
    readonly turn: { readonly measured: number; readonly equilibrium: number } | null;
  };
}

/** A part of the experiment, with its own trainings, tables and assertions. */
export interface Study {
  units(design: NormMattersDesign): readonly Unit<NormMattersResult>[];
  tables(results: Results<NormMattersResult>, design: NormMattersDesign): readonly ResultTable[];
  plots(results: Results<NormMattersResult>, design: NormMattersDesign): readonly ResultPlot[];
  claims(results: Results<NormMattersResult>, design: NormMattersDesign): readonly Claim[];
}

export const RATE = 0.1;
export const MOMENTUM = 0.9;

/** Shares of a run after which the rate falls to a tenth. */
export const FALLS = [0.6, 0.85] as const;

/** Constant rates that fall to a tenth, twice. */
export function fallingRate(epochs: number): Pick<RecipeInput, "epochs" | "learningRate" | "schedule"> {
  return {
    epochs,
    learningRate: RATE,
    schedule: { kind: "multi-step", milestones: FALLS.map((share) => share * epochs) },
  };
}

/** What is kept of a training. */
export function kept({ top1, right, curve, failure }: BriefResult): NormMattersResult {
  return { top1, right, curve, failure };
}

/** Top-1 in the end. */
export function finalTop1(results: Results<NormMattersResult>, key: string): Estimate {
  return accuracy(right(results, key));
}

/** By how many points the second is better, picture by picture. */
export function gained(results: Results<NormMattersResult>, from: string, to: string): Estimate {
  return pairedDifference(right(results, from), right(results, to));
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function right(results: Results<NormMattersResult>, key: string): Uint8Array[] {
  return results.of(key).map((result) => unpackOutcomes(result.right));
}
