/** Training: steps as programs, compiled and run. */
export { type CompileOptions, compile, Training } from "./compile.ts";
export { type ImportedLayerOptions, type ImportedModel, importOnnx } from "./import-onnx.ts";
export { storeFloat16 } from "./store-float16.ts";
export {
  type InputSpecification,
  type LossAndMetrics,
  type LossFunction,
  type StepVariable,
  type TrainStep,
  type TrainStepOptions,
  trainStep,
} from "./train-step.ts";
