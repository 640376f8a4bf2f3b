/** The contract of an optimizer: it builds the part of a training step that changes the parameters. */
import type { Value } from "../program/index.ts";
import type { Ops } from "./ops.ts";
import type { RandomValues } from "./random-values.ts";
import type { Variable } from "./variable.ts";

/** Returns the learning rate of a step; steps count from 0. */
export type Schedule = (step: number) => number;

/** A parameter and the loss's gradient with respect to it. */
export interface ParameterGradient {
  readonly parameter: Variable;
  readonly gradient: Value;
}

/** What an optimizer builds with. */
export interface OptimizerContext {
  readonly ops: Ops;
  /** Scalar; the step's learning rate, fed from outside. */
  readonly learningRate: Value;
  /** Scalar of the parameters' type: the number of steps taken before this one. */
  readonly step: Value;
  readonly random: RandomValues;
  /** All parameters that are trained, in the order of their declaration. */
  readonly parameters: readonly Variable[];
  /**
   * Returns the gradient of the loss with respect to every trained parameter it depends on. `weights` puts other values in the
   * parameters' place (by path), and is how several gradients are had in one step, such as at sampled weights.
   */
  gradients(weights?: ReadonlyMap<string, Value>): readonly ParameterGradient[];
  /** Returns a slot: a variable of this optimizer shaped as the parameter, filled with `initial` (default 0) at first. */
  slot(parameter: Variable, name: string, initial?: number): Value;
  /** Says what a slot becomes. */
  updateSlot(parameter: Variable, name: string, next: Value): void;
  /** Says what a parameter becomes. */
  update(parameter: Variable, next: Value): void;
  /** Returns what layers keep (running means) and what it becomes in this step. */
  statistics(): readonly { readonly variable: Variable; readonly next: Value }[];
  /**
   * Makes a scalar an output of every step, beside the loss; the last one of a name counts.
   *
   * @throws OptionError if the loss function has a metric of that name.
   */
  metric: (name: string, value: Value) => void;
}

/** A rule that changes parameters, such as SGD: what `optim.sgd(...)` returns. */
export interface Optimizer {
  /** The learning rate, or one for each step. */
  readonly learningRate: number | Schedule;
  /** Whether the parameter at this path is trained. Default: all are. The others stay as they are, and need no gradient. */
  readonly trains?: (path: string) => boolean;
  /** Builds the change of all parameters. */
  apply(context: OptimizerContext): void;
}
