/** Programs that look at a step's loss and gradients without taking the step. */
import type { ObserveRounding, Optimizer } from "../../build/index.ts";
import type { Runtime } from "../../runtime/index.ts";
import type { Tensor } from "../../tensor/index.ts";
import { compile, initialVariables, type Training } from "../../train/index.ts";
import type { TrainingPlan } from "../training-plan.ts";

/** A plan's step whose optimizer only looks. */
export interface Observer {
  readonly training: Training;
  /** Puts a run's variables in place; slots of the observing optimizer have their first values. */
  restore(variables: Readonly<Record<string, Tensor>>): Promise<void>;
}

/** Compiles a plan's step with an optimizer that changes no parameter: `apply` makes metrics and slots of what it sees, `observeRounding` metrics of what a precision rounds. */
export async function compileObserver(
  plan: TrainingPlan,
  runtime: Runtime,
  apply: Optimizer["apply"],
  observeRounding?: ObserveRounding,
): Promise<Observer> {
  const { builder } = plan.step;
  const optimizer = { learningRate: 0, apply, ...(builder.trains && { trains: builder.trains }) };
  const step = builder.build({}, optimizer, observeRounding);
  const first = initialVariables(step.variables, plan.seed);
  const training = await compile(step, { runtime, seed: plan.seed });
  return {
    training,
    restore: (variables) =>
      training.restore(Object.fromEntries(step.variables.map(({ path }) => [path, variables[path] ?? first[path]!]))),
  };
}
