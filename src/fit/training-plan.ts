/** What the training loop needs: a recipe, a network and data, turned into programs and streams of batches. */
import type { ModelFile } from "../onnx/index.ts";
import type { Tensor } from "../tensor/index.ts";
import type { Evaluation, TrainStep } from "../train/index.ts";
import type { PlateauOptions } from "./plateau.ts";

/** Inputs of a step by name. */
export type Batch = Readonly<Record<string, Tensor>>;

/** Samples held back from training, or used in it, that the network is measured on. */
export interface EvaluationPart {
  readonly split: "train" | "validation" | "test";
  /** Each sample exactly once, always the same way: the last batch is padded with samples of weight 0. */
  batches(): AsyncIterable<Batch>;
}

/** A run before it starts. */
export interface TrainingPlan {
  readonly step: TrainStep;
  readonly evaluation: Evaluation;
  /** Batches of one pass over the training data from number `firstBatch` on: the same ones in a resumed run. */
  batches(epoch: number, firstBatch: number): AsyncIterable<Batch>;
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
  readonly batchSize: number;
  /** Steps between evaluations. */
  readonly evaluationEverySteps: number;
  /** Parts that are measured; the first one decides which weights are best, when to stop early and what a plateau is. */
  readonly parts: readonly EvaluationPart[];
  /** Decay of the moving average of the weights, if the step keeps one (`optim.averaged`). */
  readonly averaging: { readonly decay: number } | undefined;
  readonly earlyStopping: { readonly patience: number; readonly metric: "top1" | "loss" } | undefined;
  /** When the step's learning rate falls because evaluations get no better. */
  readonly plateau: PlateauOptions | undefined;
  /** Seed of initial parameters and of all random numbers. */
  readonly seed: number;
  /** Variables that do not start from an initializer: those of an imported model. */
  readonly initialVariables: Readonly<Record<string, Tensor>>;
  /** Writes the network as it is used: float32 inputs, normalized as its preprocessing says, and a symbolic batch axis. */
  exportModel(variables: Readonly<Record<string, Tensor>>): ModelFile;
}
