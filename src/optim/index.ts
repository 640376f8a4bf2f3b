/** Optimizers, clipping of gradients, and schedules of learning rates. */
export { type AdagradOptions, adagrad } from "./adagrad.ts";
export { type AdamOptions, adam, adamW } from "./adam.ts";
export { type AveragedOptions, averaged, averagedVariables } from "./averaged.ts";
export type { ChannelNorms } from "./channel-norms.ts";
export { clipByNorm, clipByValue } from "./clip.ts";
export { type CorrectedRateOptions, correctedRate } from "./corrected-rate.ts";
export { type FallByDistanceOptions, fallByDistance } from "./fall-by-distance.ts";
export { measured } from "./measured.ts";
export { type NormScheduleOptions, normSchedule } from "./norm-schedule.ts";
export type { OptimizerOptions, ParameterGroup } from "./parameter-groups.ts";
export { type ProjectedOptions, projected } from "./projected.ts";
export { type ResetMomentumOptions, resetMomentum } from "./reset-momentum.ts";
export { type RmspropOptions, rmsprop } from "./rmsprop.ts";
export {
  type CosineOptions,
  type CosineRestartsOptions,
  constant,
  cosine,
  cosineRestarts,
  type MultiStepDecayOptions,
  multiStepDecay,
  type OneCycleOptions,
  oneCycle,
  type PolynomialOptions,
  polynomial,
  type StepDecayOptions,
  stepDecay,
  type WarmupOptions,
  warmup,
} from "./schedules.ts";
export { type SgdOptions, sgd } from "./sgd.ts";
