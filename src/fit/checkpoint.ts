/** Checkpoints: everything a run needs to go on exactly as if it had not stopped. */
import type { Tensor } from "../tensor/index.ts";
import type { PlateauState } from "./plateau.ts";

/** What a run remembers besides its variables. All of it is JSON. */
export interface Progress {
  /** Steps taken. */
  readonly step: number;
  /** Whole passes over the training data. */
  readonly epoch: number;
  /** Batches of the pass that has begun. */
  readonly batch: number;
  /** Seconds of work. */
  readonly seconds: number;
  /** The best evaluation so far. */
  readonly best: { readonly epoch: number; readonly step: number; readonly top1: number; readonly loss: number } | null;
  /** Evaluations since the best one, for early stopping. */
  readonly evaluationsSinceBest: number;
  /** Sums of the metrics of steps that no event has reported yet. */
  readonly unreported: { readonly steps: number; readonly sums: Readonly<Record<string, number>> };
  /** Whether the evaluation of this step was interrupted: it is done before the next step. Default: it was not. */
  readonly evaluationDue?: boolean;
  /** Of a learning rate that falls on plateaus. */
  readonly plateau?: PlateauState;
}

/** A run at one moment. */
export interface Checkpoint {
  readonly progress: Progress;
  /** Parameters, statistics, optimizer slots and counters by path: what `Training.variables` returns. */
  readonly variables: Readonly<Record<string, Tensor>>;
}
