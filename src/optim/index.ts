/** Optimizers, clipping of gradients, and schedules of learning rates. */
export { type AdagradOptions, adagrad } from "./adagrad.ts";
export { type AdamOptions, adam, adamW } from "./adam.ts";
export { type AveragedOptions, averaged, averagedVariables } from "./averaged.ts";
export { clipByNorm, clipByValue } from "./clip.ts";
export { measured } from "./measured.ts";
export type { OptimizerOptions, ParameterGroup } from "./parameter-groups.ts";
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
