/** Training runs: recipes, the loop, what it reports and remembers. */
export type { DataFacts, NetworkFile } from "./build-network.ts";
export { type RecipeDifference, recipeDifferences, withKey } from "./change-recipe.ts";
export type { Checkpoint, Progress } from "./checkpoint.ts";
export { type ClassificationMetrics, classificationMetrics } from "./classification-metrics.ts";
export { findRecipe } from "./find-recipe.ts";
export { type FitOptions, type FitResult, fit } from "./fit.ts";
export { type HeadSavings, headSavings } from "./head-savings.ts";
export { parseRecipe } from "./parse-recipe.ts";
export { exportNetwork, type PlanOptions, planTraining } from "./plan-training.ts";
export { preprocessingOf } from "./preprocessing-of.ts";
export type { Probe, ProbeContext, ProbeInterval } from "./probe.ts";
export { type ProbeCheckpointOptions, probeCheckpoint } from "./probe-checkpoint.ts";
export { activationStatistics } from "./probes/activation-statistics.ts";
export { type ChannelNormsOptions, channelNorms, channelNormsOf } from "./probes/channel-norms.ts";
export { type DistanceFit, type DistanceRecord, distanceFit } from "./probes/distance-fit.ts";
export { distanceFromInitialization } from "./probes/distance-from-initialization.ts";
export { type EffectiveRateOptions, effectiveRate } from "./probes/effective-rate.ts";
export { gradientAndWeightNorms } from "./probes/gradient-and-weight-norms.ts";
export { type GradientHistogramOptions, gradientHistograms } from "./probes/gradient-histograms.ts";
export { criticalBatch, type GradientSquares, gradientNoiseScale } from "./probes/gradient-noise-scale.ts";
export { headScale } from "./probes/head-scale.ts";
export {
  type LossSpread,
  type LossSpreadOptions,
  type LossSpreadPlace,
  lossSpread,
  lossSpreadProbe,
} from "./probes/loss-spread.ts";
export { quantizationAngles, type RankedAngle, rankAngles } from "./probes/quantization-angles.ts";
export { type RotationOptions, rotation } from "./probes/rotation.ts";
export { type Recipe, type RecipeInput, recipeSchema } from "./recipe.ts";
export { fineTuning, recipes } from "./recipes.ts";
export type { EndReason, EvaluationResult, MeasuredWeights, OnRunEvent, RunEvent, RunPosition } from "./run-event.ts";
export {
  type AdaptRegimeOptions,
  adaptRegime,
  type BatchScaling,
  countUpdates,
  type RunLength,
  type ScaleBatchOptions,
  scaleBatch,
} from "./scale-batch.ts";
export type { Batch, EvaluationPart, TrainingPlan } from "./training-plan.ts";
export { withNetworkSizes } from "./with-network-sizes.ts";
