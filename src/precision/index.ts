/** Precisions: networks trained with few bits. */
export { type Int8Options, int8 } from "./int8.ts";
export type { Bits, RangeMode, Rounding, TensorFormat } from "./tensor-format.ts";
