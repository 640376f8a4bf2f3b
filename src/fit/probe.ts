/** The contract of a probe: something to know about a network while it is trained. */
import type { Runtime } from "../runtime/index.ts";
import type { Tensor } from "../tensor/index.ts";
import type { Batch, TrainingPlan } from "./training-plan.ts";

/**
 * How often a probe measures: after that many steps or passes over the training data, or after 1, 2, 4, 8, ... steps; and after
 * the last step.
 */
export type ProbeInterval = { readonly steps: number } | { readonly epochs: number } | { readonly doubling: true };

/** What a probe may look at, after a step. */
export interface ProbeContext {
  readonly plan: TrainingPlan;
  readonly runtime: Runtime;
  /** Steps taken. */
  readonly step: number;
  /** Passes over the training data; 2.5 is the middle of the third. */
  readonly epoch: number;
  /** What the last step was taken on. */
  readonly batch: Batch;
  /** Returns all variables by path, as they are now. */
  variables(): Promise<Readonly<Record<string, Tensor>>>;
  /** Computes what the variables were before the first step, from the seed. */
  initialVariables(): Record<string, Tensor>;
  /**
   * Returns values inside the network as it is in use, by path: results of layers and what `scope.tap` was given.
   *
   * @param batch Inputs of the plan's evaluation. Default: the first batch of the part that is measured first.
   * @throws OptionError if a path is not known; the message lists those that are.
   */
  tap(paths: readonly string[], batch?: Batch): Promise<Record<string, Tensor>>;
}

/** Measures something every so often; what it returns becomes a "probe" event. */
export interface Probe {
  readonly every: ProbeInterval;
  /** Returns numbers by name. It must not change the training, and gives the same numbers in a resumed run. */
  readonly measure: (
    context: ProbeContext,
  ) => Promise<Readonly<Record<string, number>>> | Readonly<Record<string, number>>;
  /** Frees what the probe holds; called once, at the end of the run. */
  readonly release?: () => Promise<void>;
}
