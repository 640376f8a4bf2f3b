/** Training: steps as programs, compiled and run. */
export { type CompileOptions, compile } from "./compile.ts";
export {
  type CompiledEvaluation,
  type CompileEvaluationOptions,
  compileEvaluation,
  type Evaluation,
  type EvaluationOptions,
  type EvaluationVariable,
  evaluation,
} from "./evaluation.ts";
export { type ExportOptions, exportOnnx } from "./export-onnx.ts";
export { type ExportedStep, type ExportStepOptions, exportStep } from "./export-step.ts";
export type { LossAndMetrics, LossFunction } from "./forward-backward.ts";
export { type ImportedLayerOptions, type ImportedModel, importOnnx } from "./import-onnx.ts";
export { initialVariables } from "./initial-variables.ts";
export { outputAxisOf } from "./output-axis.ts";
export { storeFloat16 } from "./store-float16.ts";
export {
  type InputSpecification,
  type StepBuilder,
  type StepVariable,
  type TrainStep,
  type TrainStepOptions,
  trainStep,
} from "./train-step.ts";
export { type RunOptions, Training } from "./training.ts";
