/** Proving what a model kept: accuracy, agreement with another model, latency. */
export { type Comparison, compareModels, type Disagreement, type Spread } from "./compare-models.ts";
export { type EvaluateOptions, type EvaluationRun, evaluateModels, type ModelEvaluation } from "./evaluate-models.ts";
export type { EvaluatedModel } from "./sample-outputs.ts";
export { quantile, type TimingOptions, timeAlternately } from "./timing.ts";
