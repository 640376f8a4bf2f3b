/** Lowering programs: from what they mean to what runs fastest. */
export type { ConvolutionShape } from "./forms/form.ts";
export type { FormTiming, LoweringTable } from "./forms/lowering-table.ts";
export { type TuneOptions, tuneLowering } from "./forms/tune-lowering.ts";
export { toIntegerModel } from "./integer/integer-model.ts";
export { lowerProgram } from "./lower-program.ts";
export type { Lowering, LoweringTarget } from "./lowering.ts";
export { type LoweringTargetOptions, loweringTarget } from "./lowering-target.ts";
export { lowerings } from "./lowerings.ts";
export { toPortable } from "./portable-program.ts";
export { type Accumulator, type SimulateFloat16Options, simulateFloat16 } from "./simulate-float16.ts";
