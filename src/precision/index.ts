/** Precisions: networks trained with few bits. */
export { type AngleOptions, cosineBound, predictedCosine, tensorCosine } from "./angles.ts";
export { type Int8Options, int8 } from "./int8.ts";
export {
  type MagnitudeHistogram,
  magnitudeHistogram,
  type RoundingStatistics,
  readMagnitudeHistogram,
  readRoundingStatistics,
  roundingStatistics,
} from "./rounding-statistics.ts";
export type { Bits, RangeMode, Rounding, TensorFormat } from "./tensor-format.ts";
