/** Fixed heads for ten classes of pictures: accuracy, the scale in the course of training, and the class of the row of ones. */
import type { TrainingData } from "../data/index.ts";
import { openTrainingData } from "../files/index.ts";
import { distanceFit, parseRecipe, type RecipeInput } from "../fit/index.ts";
import type { ModelFile } from "../onnx/index.ts";
import { type Tensor, toNumbers } from "../tensor/index.ts";
import type { Claim } from "./claims.ts";
import { type Estimate, estimate } from "./estimate.ts";
import type { Lab, ResultTable } from "./experiment.ts";
import {
  CONSTANT_SCALES,
  FIXED,
  type HeadVariant,
  LEARNED,
  NO_BIAS_MINUS,
  NO_BIAS_PLUS,
  NO_BIAS_ROWS,
  PLUS,
  ROWS,
} from "./head-variants.ts";
import { type FirstClassShares, firstClassShares } from "./largest-scores.ts";
import { linePlot, type ResultPlot } from "./line-plot.ts";
import { normalizedSamples } from "./normalized-samples.ts";
import { type ScaleRecord, trainHead } from "./train-head.ts";

/** A network and pictures, with the heads it is trained with. */
export interface PictureTask {
  readonly key: string;
  readonly title: string;
  readonly recipe: RecipeInput;
  readonly variants: readonly HeadVariant[];
  /** First step from which the scale should grow as a logarithm; only at a constant learning rate. */
  readonly lateFrom?: number;
  /** About how long one training takes on two cores. */
  readonly seconds: number;
}

/** What a network with a head came to. */
export interface PictureResult {
  /** Percent of test and of training pictures. */
  readonly top1: number;
  readonly trainTop1: number;
  /** Of the test pictures of class 0. */
  readonly class0: FirstClassShares;
  readonly bias0: number | null;
  readonly scales: readonly ScaleRecord[];
}

/** Trains the network of a task with a head. */
export async function trainPictures(lab: Lab, task: PictureTask, { head }: HeadVariant): Promise<PictureResult> {
  const { set } = lab.dataSet(task.recipe.data.set);
  const recipe: RecipeInput = { ...task.recipe, model: { ...task.recipe.model, head } };
  const data = await openTrainingData(set, { ...parseRecipe(recipe, task.key).data, seed: lab.seed });
  const { test, train, bias0, scales, model } = await trainHead(lab, { recipe, data });
  const class0 = firstClassShares(await scoresOfClass0(lab, model, data), data.classes);
  return { top1: test.top1, trainTop1: train!.top1, class0, bias0: bias0 ?? null, scales };
}

/** Scores of the test pictures that are of class 0. */
async function scoresOfClass0(lab: Lab, model: ModelFile, data: TrainingData): Promise<ArrayLike<number>> {
  const { test, normalization } = data;
  const chosen = Array.from(test!.labels!.keys()).filter((index) => test!.labels![index] === 0);
  const samples = await normalizedSamples(test!, normalization, chosen);
  const session = await lab.runtime.createSession(model);
  try {
    const { x } = await samples.batch!(Array.from(chosen.keys()));
    return toNumbers((await session.run({ x: x! })).logits as Tensor);
  } finally {
    await session.release();
  }
}

/** Returns what a head's units found, by seed. */
export type PicturesOf = (variant: HeadVariant) => readonly PictureResult[];

/** Accuracy and what became of the head, by head. */
export function pictureTable({ title, variants, lateFrom }: PictureTask, of: PicturesOf): ResultTable {
  return {
    title,
    note:
      "Top-1 in percent, ± one standard error over seeds. Class 0 is the one that a row of ones may belong to: found where its score is larger " +
      `than all others, tied where another is as large.${lateFrom ? ` R² of the scale is against ln(step) from step ${lateFrom} on.` : ""}`,
    columns: [
      { key: "head", header: "head" },
      { key: "top1", header: "test %" },
      { key: "train", header: "training %" },
      { key: "found", header: "class 0 found %", digits: 1 },
      { key: "tied", header: "tied %", digits: 1 },
      { key: "bias", header: "its bias" },
      { key: "scale", header: "last scale" },
      ...(lateFrom ? [{ key: "r2", header: "R² of the scale", digits: 3 }] : []),
    ],
    rows: variants.map((variant) => {
      const found = of(variant);
      const scales = found.flatMap(({ scales }) => scales.slice(-1).map(({ scale }) => scale));
      const biases = found.flatMap(({ bias0 }) => (bias0 === null ? [] : [bias0]));
      return {
        head: variant.title,
        top1: estimate(found.map(({ top1 }) => top1)),
        train: estimate(found.map(({ trainTop1 }) => trainTop1)),
        found: estimate(found.map(({ class0 }) => class0.alone)),
        tied: estimate(found.map(({ class0 }) => class0.tied)),
        bias: biases.length > 0 ? estimate(biases) : null,
        scale: scales.length > 0 ? estimate(scales) : null,
        r2: scales.length > 0 && lateFrom ? logarithmicFit(found, lateFrom) : null,
      };
    }),
  };
}

/** R^2 of scale = a + b ln(step), late in training. */
function logarithmicFit(found: readonly PictureResult[], lateFrom: number): Estimate {
  return estimate(
    found.map(({ scales }) => {
      const records = scales.map(({ step, scale }) => ({ step, distance: scale }));
      return distanceFit(records, lateFrom).log.r2;
    }),
  );
}

/** The scale in the course of training. */
export function scalePlot({ key, title, variants }: PictureTask, of: PicturesOf): ResultPlot {
  return linePlot({
    id: `${key}-scale`,
    title: `${title}: scale against the logarithm of the step`,
    caption:
      "Seed 1; for rows of signs times sqrt(64), which makes them cosines too. A straight line is logarithmic growth.",
    xLabel: "ln(step)",
    yLabel: "scale of cosines",
    points: variants.flatMap((variant) =>
      of(variant)[0]!.scales.map(({ step, scale }) => ({
        series: variant.title,
        x: Math.log(step),
        y: scale * (variant === ROWS ? 8 : 1),
      })),
    ),
  });
}

/** At a constant rate that the scale grows as a logarithm; else that fixed heads do as well as a learned one. */
export function pictureClaims({ title, variants, lateFrom }: PictureTask, of: PicturesOf): Claim[] {
  const gap = (better: HeadVariant, worse: HeadVariant): Estimate => {
    const [a, b] = [of(better), of(worse)];
    return estimate(a.map(({ top1 }, seed) => top1 - b[seed]!.top1));
  };
  const learns = (variant: HeadVariant): Claim => ({
    statement: `${title}: ${variant.title} is within 0.7 points of learned`,
    measured: gap(variant, LEARNED),
    unit: "points",
    above: -0.7,
    below: 0.7,
    evidence: "consistent",
    decisive: true,
  });
  const grows = (variant: HeadVariant, from: number): Claim => ({
    statement: `${title}: the scale of ${variant.title} grows as the logarithm of the step (R² above 0.95)`,
    measured: logarithmicFit(of(variant), from),
    above: 0.95,
    evidence: "clear",
    decisive: true,
  });
  if (lateFrom) return variants.map((variant) => grows(variant, lateFrom));
  const common = FIXED.map(learns);
  return variants.includes(NO_BIAS_PLUS) ? [...common, ...ablationClaims(title, of, gap)] : common;
}

/** What constants and missing biases do. */
function ablationClaims(
  title: string,
  of: PicturesOf,
  gap: (better: HeadVariant, worse: HeadVariant) => Estimate,
): Claim[] {
  const best = CONSTANT_SCALES.map((variant) => gap(variant, PLUS)).reduce((a, b) => (b.mean > a.mean ? b : a));
  const clear = { evidence: "clear", decisive: true } as const;
  const class0 = (variant: HeadVariant, share: (shares: FirstClassShares) => number): Estimate =>
    estimate(of(variant).map((found) => share(found.class0)));
  return [
    {
      ...clear,
      statement: `${title}: a scale of 0.1 costs 3 points`,
      measured: gap(PLUS, CONSTANT_SCALES[0]!),
      unit: "points",
      above: 3,
    },
    {
      statement: `${title}: the best constant is within 0.6 points of a learned scale`,
      measured: best,
      unit: "points",
      above: -0.6,
      below: 0.6,
      evidence: "consistent",
      decisive: true,
    },
    {
      ...clear,
      statement: `${title}: without a bias no score is above that of the row of ones in pictures of its class`,
      measured: class0(NO_BIAS_PLUS, ({ alone, tied }) => alone + tied),
      unit: "%",
      above: 99.5,
    },
    {
      ...clear,
      statement: `${title}: with the other sign it is never above all others`,
      measured: class0(NO_BIAS_MINUS, ({ alone }) => alone),
      unit: "%",
      below: 0.5,
    },
    {
      ...clear,
      statement: `${title}: rows 1 to C need no bias to mend that`,
      measured: gap(NO_BIAS_ROWS, NO_BIAS_PLUS),
      unit: "points",
      above: 0,
    },
  ];
}
