/** Layers, initializers, losses and metrics. A layer is a function that writes itself into a program. */
export {
  celu,
  elu,
  gelu,
  hardSigmoid,
  hardSwish,
  hardTanh,
  leakyRelu,
  logSoftmax,
  mish,
  relu,
  relu6,
  selu,
  sigmoid,
  silu,
  softmax,
  softplus,
  softsign,
  tanh,
  translatedRelu,
} from "./activations.ts";
export { type BatchNormOptions, batchNorm } from "./batch-norm.ts";
export { type BinaryCrossEntropyOptions, binaryCrossEntropy } from "./binary-cross-entropy.ts";
export { type ConvSettings, conv } from "./conv.ts";
export { type ConvTransposeSettings, convTranspose } from "./conv-transpose.ts";
export { type CrossEntropyOptions, crossEntropy } from "./cross-entropy.ts";
export type { ConstantKind } from "./deviations/deviation.ts";
export type { DeviationChoice } from "./deviations/deviation-of.ts";
export { dropout } from "./dropout.ts";
export { type EmbeddingOptions, embedding } from "./embedding.ts";
export {
  type Fans,
  fansOf,
  gainOf,
  type HeOptions,
  heNormal,
  heUniform,
  inverseRootUniform,
  type Nonlinearity,
  type XavierOptions,
  xavierNormal,
  xavierUniform,
} from "./fan-initializers.ts";
export { flatten } from "./flatten.ts";
export { type GroupNormOptions, groupNorm, type InstanceNormOptions, instanceNorm } from "./group-norm.ts";
export type { ClassCode, HadamardRows, Prototypes } from "./heads/class-code.ts";
export { type CosineHeadOptions, cosineHead } from "./heads/cosine-head.ts";
export { type FixedHeadForm, type FixedHeadOptions, fixedHead, fixedHeadForm } from "./heads/fixed-head.ts";
export { fastWalshHadamard, hadamardEntry, hadamardMatrix } from "./heads/hadamard.ts";
export { type HadamardCodeOptions, hadamardCode } from "./heads/hadamard-code.ts";
export { type HeadCostOptions, type HeadCosts, headCosts } from "./heads/head-costs.ts";
export { matrixCode } from "./heads/matrix-code.ts";
export { type MutualInformationOptions, mutualInformationEmbedding } from "./heads/mutual-information-embedding.ts";
export { orthogonalCode, type SeededCodeOptions } from "./heads/orthogonal-code.ts";
export { simplexCode } from "./heads/simplex-code.ts";
export { smallestLoss, smallestScale } from "./heads/smallest-loss.ts";
export { spreadCode } from "./heads/spread-code.ts";
export {
  constant,
  type NormalOptions,
  normal,
  ones,
  type TruncatedNormalOptions,
  truncatedNormal,
  type UniformOptions,
  uniform,
  zeros,
} from "./initializers.ts";
export { type KlDivergenceOptions, klDivergence } from "./kl-divergence.ts";
export type { LabelLossOptions } from "./labels.ts";
export { type LayerNormOptions, layerNorm, type RmsNormOptions, rmsNorm } from "./layer-norm.ts";
export { type LinearOptions, linear } from "./linear.ts";
export type { LossOptions, Reduction } from "./loss.ts";
export { type AccuracyOptions, accuracy, confusionMatrix } from "./metrics.ts";
export { type MixedLabels, mixedCrossEntropy } from "./mixed-cross-entropy.ts";
export {
  type AttentionInputs,
  type AttentionLayer,
  type MultiHeadAttentionOptions,
  multiHeadAttention,
} from "./multi-head-attention.ts";
export { negativeLogLikelihood } from "./negative-log-likelihood.ts";
export { type NoisyMeanOptions, noisyMean } from "./noisy-mean.ts";
export { type OrthogonalOptions, orthogonal } from "./orthogonal.ts";
export {
  type AveragePoolSettings,
  averagePool,
  globalAveragePool,
  type MaxPoolSettings,
  maxPool,
} from "./pool.ts";
export { type PreluOptions, prelu } from "./prelu.ts";
export { gru, lstm, type RecurrentOptions, type RnnOptions, rnn } from "./recurrent.ts";
export {
  type HuberOptions,
  huber,
  meanAbsoluteError,
  meanSquaredError,
  type SmoothL1Options,
  smoothL1,
} from "./regression-losses.ts";
export { residual } from "./residual.ts";
export type { KeptDeviation } from "./running-statistics.ts";
export { sequential } from "./sequential.ts";
export { type TransformerEncoderLayerOptions, transformerEncoderLayer } from "./transformer-encoder-layer.ts";
export {
  type BoundedWeightNormOptions,
  boundedWeightNorm,
  type WeightNormOptions,
  weightNorm,
} from "./weight-norm.ts";
export type { PerAxis, WindowSettings } from "./window.ts";
