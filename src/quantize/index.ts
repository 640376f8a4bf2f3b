/** Post-training quantization of ONNX models. */
export type { Side, Variant } from "./aciq/bin-count.ts";
export { gaussAlpha, gaussMse } from "./aciq/gauss.ts";
export { laplaceAlpha, laplaceMse, type MseParts } from "./aciq/laplace.ts";
export { type MidTreadGrid, type MidTreadRequest, midTread, midTreadCodes, midTreadGrids } from "./aciq/mid-tread.ts";
export { type Prior, predictedMse } from "./aciq/predicted-mse.ts";
export {
  type AllocateBitsOptions,
  allocateBins,
  allocateBits,
  bitTotals,
  LARGEST_ALLOCATED_BITS,
  zeroBitValue,
} from "./allocation.ts";
export { biasShift, type WeightUse } from "./bias-shift.ts";
export type { BlockGridKind } from "./block-format.ts";
export { hasChannelBias } from "./channel-bias.ts";
export {
  applyCorrection,
  type ChannelCorrection,
  correctActivations,
  correctWeights,
  weightCorrection,
} from "./correction.ts";
export { entropyOfCodes, entropyOfCounts, measuredEntropy } from "./entropy.ts";
export {
  type ActivationGrid,
  deployableGrid,
  type Grid,
  gridFor,
  gridRange,
  highestCode,
  type Range,
  symmetricGrid,
} from "./grid.ts";
export { HISTOGRAM_BINS, histogramOf, mergeHistograms } from "./histogram.ts";
export type { LayerBitsOption } from "./layer-bits.ts";
export type { QuantizedLayer } from "./lowering/plan.ts";
export { type Activation, measuredMse } from "./measured-error.ts";
export { type ChoiceLimits, chooseBits, type WidthOption } from "./mixed-precision/choose-bits.ts";
export type {
  DropMeasure,
  LayerWidthsReport,
  Limits,
  LimitTrial,
  MixedPrecisionReport,
  WidthReport,
} from "./mixed-precision/limits.ts";
export type {
  Allocation,
  CalibrationData,
  Correction,
  Feeds,
  Progress,
  QuantizeOptions,
  Target,
} from "./options.ts";
export { assignBits, type LayerPolicy, layerPolicies, type PolicyRule } from "./policy.ts";
export { MODICUM_VERSION, type QuantizedRung, type QuantizeResult, quantize } from "./quantize.ts";
export { floatsOf } from "./quantize-layer.ts";
export {
  type ChannelAxis,
  type Codes,
  dequantize,
  dequantizePerChannel,
  fakeQuantize,
  fakeQuantizePerChannel,
  quantize as quantizeValues,
  quantizePerChannel,
} from "./quantize-values.ts";
export type { ChannelWeights } from "./quantized-weights.ts";
export { type RangeMethodName, rangeMethods } from "./ranges/index.ts";
export { nSigma } from "./ranges/n-sigma.ts";
export { percentile } from "./ranges/percentile.ts";
export type { RangeMethod, RangeRequest } from "./ranges/range-method.ts";
export { equalization } from "./refinements/equalization.ts";
export { errorFeedback } from "./refinements/error-feedback.ts";
export { halfQuadratic } from "./refinements/half-quadratic.ts";
export { reEstimation } from "./refinements/re-estimation.ts";
export type {
  Draft,
  RefinedPart,
  Refinement,
  RefinementContext,
  RewriteContext,
} from "./refinements/refinement.ts";
export { type SimulatedDraft, simulateDraft } from "./refinements/simulate-draft.ts";
export { type SmoothingOptions, smoothing } from "./refinements/smoothing.ts";
export type { WorkStore } from "./refinements/work-store.ts";
export type { ActivationReport, Evaluation, LayerReport, QuantizationReport, RungReport } from "./report-data.ts";
export { resolveSettings, type Settings } from "./settings.ts";
export type { Histogram, Statistics } from "./statistics.ts";
export {
  channelOrTensor,
  channelStatistics,
  MINIMUM_CHANNEL_COUNT,
  mergeStatistics,
  type StatisticsOptions,
  statisticsOf,
} from "./statistics.ts";
export { smoothNoise } from "./synthetic.ts";
export { type WeightGridOptions, weightGrids } from "./weight-scale.ts";
