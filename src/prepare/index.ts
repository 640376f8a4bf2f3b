/** Preparing float programs for quantization, and recognizing their layers. */
export { type OutputDifference, outputDifference } from "./difference.ts";
export { fixedConstant, floatConstant, floatTensor } from "./fixed-constant.ts";
export { type Activation, type ActivationFunction, boundsOf, followActivation } from "./layers/activation.ts";
export { findLayers } from "./layers/find-layers.ts";
export { isQuantized } from "./layers/is-quantized.ts";
export type { Layer, LayerKind } from "./layers/layer.ts";
export { absorbAffine, linearNode } from "./linear-node.ts";
export type { Pass, PassContext } from "./pass.ts";
export { isInferenceBatchNorm } from "./passes/fold-batch-norm.ts";
export { passes } from "./passes/index.ts";
export { type PreparedProgram, type PrepareOptions, prepareProgram } from "./prepare-program.ts";
export { resolveConstants } from "./resolve-constants.ts";
