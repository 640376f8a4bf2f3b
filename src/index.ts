/**
 * Modicum: neural networks on a budget. Quantizes ONNX models to 8 and 4 bits, in Node and in browsers; no Python.
 *
 * ```ts
 * import { readFile, writeFile } from "node:fs/promises";
 * import { quantize } from "modicum";
 * import { nodeRuntime } from "modicum/runtime/node";
 *
 * const runtime = await nodeRuntime();
 * const { model, report } = await quantize(await readFile("model.onnx"), { runtime, weights: 4 });
 * await writeFile("small.onnx", model.bytes);
 * console.log(report.layers.map(({ name, weightBits, sqnrDb }) => [name, weightBits, sqnrDb]));
 * ```
 *
 * What is where, lower folders first (each imports only those before it):
 * tensor/ numbers in memory; program/ the one graph of the project; data/ pictures and arrays on their way into a model;
 * onnx/ the file format; ops/ what operators mean; runtime/ running models (import `modicum/runtime/node` or
 * `modicum/runtime/web`); prepare/ passes before quantization; quantize/ the methods; evaluate/ accuracy and speed. Pages of
 * results: `modicum/report`. For Node only: `modicum/files`.
 */

import * as nn from "./nn/index.ts";
import * as optim from "./optim/index.ts";

export {
  type GradientContext,
  type GradientRule,
  type Initializer,
  type Layer,
  Ops,
  type Optimizer,
  type OptimizerContext,
  type Schedule,
  Scope,
} from "./build/index.ts";
export {
  type Augmentation,
  type BatchAugmentation,
  colorJitter,
  cropAndFlip,
  cutout,
  type Dataset,
  datasetFromArrays,
  describeInput,
  evaluationBatches,
  type FeedSource,
  feedSource,
  limitSamples,
  type ModelInput,
  mixup,
  type Normalization,
  type Preprocessing,
  readNpy,
  readNpz,
  readSafetensors,
  type Safetensors,
  type Sample,
  stackSamples,
  type TrainingData,
  trainingBatches,
  writeNpy,
  writeNpz,
  writeSafetensors,
} from "./data/index.ts";
export {
  DataError,
  DTypeError,
  FileError,
  ModelFormatError,
  ModicumError,
  OptionError,
  RuntimeFailure,
  ShapeError,
  UnsupportedError,
} from "./errors.ts";
export {
  type Comparison,
  compareModels,
  type EvaluatedModel,
  type EvaluateOptions,
  type EvaluationRun,
  evaluateModels,
  type ModelEvaluation,
} from "./evaluate/index.ts";
export {
  activationStatistics,
  adaptRegime,
  type Batch,
  type Checkpoint,
  type ClassificationMetrics,
  channelNorms,
  channelNormsOf,
  classificationMetrics,
  countUpdates,
  criticalBatch,
  distanceFit,
  distanceFromInitialization,
  type EvaluationPart,
  type EvaluationResult,
  effectiveRate,
  type FitOptions,
  type FitResult,
  fit,
  gradientAndWeightNorms,
  gradientHistograms,
  gradientNoiseScale,
  headScale,
  lossSpread,
  lossSpreadProbe,
  type Probe,
  type ProbeContext,
  parseRecipe,
  planTraining,
  quantizationAngles,
  type Recipe,
  type RecipeInput,
  type RunEvent,
  rankAngles,
  recipes,
  rotation,
  scaleBatch,
  type TrainingPlan,
} from "./fit/index.ts";
export { gradients } from "./gradients/index.ts";
export { type LoweringTable, simulateFloat16, type TuneOptions, tuneLowering } from "./lower/index.ts";
export { findModel, type ModelDefinition, type ModelOptions, models } from "./models/index.ts";
export {
  type ExternalDataSource,
  type ExternalFile,
  externalFromMap,
  type ModelFile,
  modelSizeBytes,
  type ReadOptions,
  readModel,
  type WriteOptions,
  writeModel,
} from "./onnx/index.ts";
export {
  type Cost,
  type Costs,
  type CountMacsOptions,
  countCosts,
  countMacs,
  countMacsByBits,
  type InferShapesOptions,
  inferShapes,
  type MacCounts,
  type ShapeInference,
} from "./ops/index.ts";
export {
  type Bits,
  cosineBound,
  type Int8Options,
  int8,
  predictedCosine,
  type RangeMode,
  type Rounding,
  type TensorFormat,
  tensorCosine,
} from "./precision/index.ts";
export {
  findLayers,
  type Layer as FoundLayer,
  type LayerKind,
  type PreparedProgram,
  type PrepareOptions,
  prepareProgram,
} from "./prepare/index.ts";
export { Emitter, Graph, Node, type NodeOptions, Program, printProgram, type Shape, Value } from "./program/index.ts";
export {
  type CalibrationData,
  type Draft,
  equalization,
  errorFeedback,
  halfQuadratic,
  type LayerReport,
  layerPolicies,
  type QuantizationReport,
  type QuantizedRung,
  type QuantizeOptions,
  type QuantizeResult,
  quantize,
  type RefinedPart,
  type Refinement,
  type RefinementContext,
  type RewriteContext,
  type RungReport,
  rangeMethods,
  reEstimation,
  type SmoothingOptions,
  smoothing,
  type WorkStore,
} from "./quantize/index.ts";
export {
  type DistillationOptions,
  defaultRefinements,
  distillation,
  type LearnedRoundingOptions,
  learnedRounding,
  refinements,
  type SynthesisOptions,
  type SynthesizedPictures,
  synthesizePictures,
} from "./refine/index.ts";
export type { Device, Runtime, Session, SessionOptions } from "./runtime/index.ts";
export { type DType, float32, int64, Tensor, type TensorData, toFloat32, toNumbers, zeros } from "./tensor/index.ts";
export {
  type CompiledEvaluation,
  type CompileEvaluationOptions,
  type CompileOptions,
  compile,
  compileEvaluation,
  type Evaluation,
  type EvaluationOptions,
  type ExportedStep,
  type ExportOptions,
  evaluation,
  exportOnnx,
  exportStep,
  type ImportedModel,
  importOnnx,
  type LossFunction,
  outputAxisOf,
  storeFloat16,
  Training,
  type TrainStep,
  type TrainStepOptions,
  trainStep,
} from "./train/index.ts";

/** Layers, losses, initializers and metrics; optimizers and schedules. */
export { nn, optim };
