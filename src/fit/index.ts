/** Training runs: recipes, the loop, what it reports and remembers. */
export type { Checkpoint, Progress } from "./checkpoint.ts";
export { type Recipe, type RecipeInput, recipeSchema } from "./recipe.ts";
export type { EndReason, EvaluationResult, MeasuredWeights, OnRunEvent, RunEvent, RunPosition } from "./run-event.ts";
export type { Batch, EvaluationPart, TrainingPlan } from "./training-plan.ts";
