/** Recipes turned into programs and streams of batches. */
import type { Layer, Optimizer, Scope } from "../build/index.ts";
import {
  type Dataset,
  evaluationBatches,
  stratifiedSubset,
  type TrainingData,
  trainingBatches,
} from "../data/index.ts";
import { DataError, OptionError } from "../errors.ts";
import * as nn from "../nn/index.ts";
import type { ModelFile } from "../onnx/index.ts";
import type { Value } from "../program/index.ts";
import type { Tensor } from "../tensor/index.ts";
import { type Evaluation, evaluation, exportOnnx, type InputSpecification, trainStep } from "../train/index.ts";
import { augmentationsOf } from "./augmentations-of.ts";
import { buildNetwork, type DataFacts, type Network, type NetworkFile } from "./build-network.ts";
import { classificationMetrics } from "./classification-metrics.ts";
import { optimizerOf } from "./optimizer-of.ts";
import { precisionOf } from "./precision-of.ts";
import type { Recipe } from "./recipe.ts";
import { countUpdates, forBatchSize } from "./scale-batch.ts";
import type { EvaluationPart, TrainingPlan } from "./training-plan.ts";

/** Input of evaluations: 1 for samples, 0 for what only fills a batch. Not "weight", which is the sum of them that comes out. */
const COUNTED = "counted";

/** What a plan is made of besides recipe and data. */
export interface PlanOptions {
  /** The model that `recipe.model.onnx` names. */
  readonly importedModel?: NetworkFile | undefined;
  /** Changes the recipe's optimizer by what a recipe does not hold, such as norms that another run recorded. */
  readonly changeOptimizer?: ((optimizer: Optimizer) => Optimizer) | undefined;
  /** Makes the last layer from the number of classes, in place of the recipe's: directions that a recipe does not hold, such as words'. */
  readonly head?: ((classes: number) => Layer) | undefined;
}

/**
 * Turns a recipe and data into everything that a run needs.
 *
 * Pictures go into the step as bytes and are normalized there; the exported model takes them normalized.
 *
 * @throws OptionError, ShapeError, UnsupportedError if recipe, network and data do not fit together.
 * @throws DataError if there are no samples to measure the network on.
 * @example
 * const plan = planTraining(parseRecipe(recipes.mlp, "recipe"), await openTrainingData("mnist:data/mnist"));
 * const result = await fit(plan, { runtime: await nodeRuntime() });
 */
export function planTraining(
  written: Recipe,
  data: TrainingData,
  { importedModel, changeOptimizer, head }: PlanOptions = {},
): TrainingPlan {
  const recipe = forBatchSize(written);
  const network = buildNetwork(recipe, data, { importedModel, head });
  const batchSize = recipe.batch.size;
  const { stepsPerEpoch, totalSteps } = countUpdates(recipe, data.train.count);
  if (stepsPerEpoch === 0) {
    throw new OptionError(
      `recipe: batch.size must be at most the number of training samples, ${data.train.count}, got ${batchSize}.`,
    );
  }
  const { augment, augmentBatch } = augmentationsOf(recipe, data);
  const { seed } = recipe;
  const parts = evaluatedParts(recipe, data);
  return {
    step: trainStep({
      inputs: { ...inputsOf(data, batchSize), ...(augmentBatch && mixedInputs(batchSize)) },
      loss: (batch, scope) => lossOf(recipe, data, network, batch, scope),
      optimizer: optimizerOf(recipe, { stepsPerEpoch, totalSteps }, changeOptimizer),
      chunks: recipe.batch.chunks,
      ...precisionOf(recipe),
    }),
    evaluation: evaluationOf(recipe, data, network, Math.min(recipe.evaluation.batch, parts[0]!.dataset.count)),
    batches: (epoch, firstBatch) =>
      trainingBatches(data.train, {
        batchSize,
        epoch,
        seed,
        firstBatch,
        augment,
        ...(augmentBatch && { augmentBatch }),
      }),
    stepsPerEpoch,
    totalSteps,
    batchSize,
    evaluationEverySteps: Math.max(1, Math.round(recipe.evaluation.every * stepsPerEpoch)),
    parts: parts.map((part) => evaluationPart(part, recipe.evaluation.batch)),
    averaging: recipe.averaging,
    earlyStopping: recipe.earlyStopping,
    plateau: recipe.schedule.kind === "plateau" ? recipe.schedule : undefined,
    seed,
    initialVariables: {},
    exportModel: (variables) => exportNetwork(recipe, data, variables, { importedModel, head }),
  };
}

/**
 * Writes the network of a recipe with trained variables as an ONNX file. Needs what is known of the data, not the data.
 *
 * Its input `x` is [batch, ...sampleShape]: pictures normalized as `preprocessingOf` says, features and tokens as they are. Its
 * output `logits` is [batch, classes]; for tokens [batch, length, classes]. A network that was trained in 8 bits has integer products.
 *
 * @throws OptionError if a variable of the network is missing.
 */
export function exportNetwork(
  recipe: Recipe,
  data: DataFacts,
  variables: Readonly<Record<string, Tensor>>,
  { importedModel, head }: PlanOptions = {},
): ModelFile {
  const network = buildNetwork(recipe, data, { importedModel, head });
  return exportOnnx({
    inputs: { x: { shape: ["batch", ...data.sampleShape], dtype: network.exportedDtype } },
    outputs: ({ x }, scope) => ({ logits: network.exported(x!, scope) }),
    variables,
    precision: precisionOf(recipe).precision,
  });
}

function inputsOf(data: DataFacts, batchSize: number): Record<string, InputSpecification> {
  const isText = data.kind === "tokens";
  return {
    x: { shape: [batchSize, ...data.sampleShape], dtype: data.dtype },
    label: { shape: isText ? [batchSize, ...data.sampleShape] : [batchSize], dtype: "int64" },
  };
}

/** What mixup adds. */
function mixedInputs(batchSize: number): Record<string, InputSpecification> {
  return { label2: { shape: [batchSize], dtype: "int64" }, mix: { shape: [batchSize] } };
}

/** Scores [decisions, classes] and labels [decisions]: each token is a decision. */
function decisions(data: DataFacts, scores: Value, label: Value, scope: Scope): { scores: Value; label: Value } {
  if (data.kind !== "tokens") return { scores, label };
  const { ops } = scope.child("decisions");
  return { scores: ops.reshape(scores, [-1, data.classes]), label: ops.reshape(label, [-1]) };
}

function lossOf(
  recipe: Recipe,
  data: DataFacts,
  network: Network,
  { x, label: labels, label2, mix }: Readonly<Record<string, Value>>,
  scope: Scope,
): { loss: Value; top1: Value } {
  const { scores, label } = decisions(data, network.fromSamples(x!, scope), labels!, scope);
  const { labelSmoothing } = recipe.loss;
  const inner = scope.child("loss");
  const { gradientNoise } = recipe;
  const options = { labelSmoothing, reduction: gradientNoise ? ("none" as const) : ("mean" as const) };
  const losses =
    label2 && mix
      ? nn.mixedCrossEntropy(scores, { label, label2, mix: asFloats(mix, scores, inner) }, inner, options)
      : nn.crossEntropy(scores, label, inner, options);
  const loss = gradientNoise ? noisyLoss(losses, x!, inner, gradientNoise) : losses;
  return { loss, top1: scope.ops.mul(nn.accuracy(scores, label, scope.child("top1")), 100) };
}

/** Shares come as float32, whatever the precision. */
function asFloats(mix: Value, { dtype }: Value, { ops }: Scope): Value {
  return mix.dtype === dtype ? mix : ops.cast(mix, dtype!);
}

/** The mean over samples of their losses, or of their tokens', each times its own random factor. */
function noisyLoss(losses: Value, x: Value, scope: Scope, { variance }: NonNullable<Recipe["gradientNoise"]>): Value {
  const [batch] = scope.ops.shapeOf(x);
  return nn.noisyMean(scope.ops.reshape(losses, [batch!, -1]), scope, { variance: variance! });
}

function evaluationOf(recipe: Recipe, data: DataFacts, network: Network, batchSize: number): Evaluation {
  return evaluation({
    inputs: { ...inputsOf(data, batchSize), [COUNTED]: { shape: [batchSize] } },
    outputs: ({ x, label, [COUNTED]: weight }, scope) =>
      classificationMetrics(network.fromSamples(x!, scope), label!, weight!, scope),
    ...precisionOf(recipe),
  });
}

interface MeasuredDataset {
  readonly split: EvaluationPart["split"];
  readonly dataset: Dataset;
}

/** The part that decides comes first: validation samples, or those of the test where there are none. */
function evaluatedParts({ evaluation: { trainSamples }, seed }: Recipe, data: TrainingData): MeasuredDataset[] {
  const parts: MeasuredDataset[] = [];
  if (data.validation) parts.push({ split: "validation", dataset: data.validation });
  if (data.test) parts.push({ split: "test", dataset: data.test });
  if (parts.length === 0) {
    throw new DataError(
      `${data.name}: must have test samples to measure the network on, got none. Take some with data.validation, such as 0.1.`,
    );
  }
  if (trainSamples > 0) parts.push({ split: "train", dataset: stratifiedSubset(data.train, trainSamples, seed) });
  return parts;
}

function evaluationPart({ split, dataset }: MeasuredDataset, batchSize: number): EvaluationPart {
  const options = { batchSize: Math.min(batchSize, dataset.count), weight: COUNTED };
  return { split, batches: () => evaluationBatches(dataset, options) };
}
