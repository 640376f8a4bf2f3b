/** The sessions of a training step: one for each shape of batch, made when it first comes. */
import { ShapeError } from "../errors.ts";
import { type LoweringTarget, lowerProgram } from "../lower/index.ts";
import { writeModel } from "../onnx/index.ts";
import { cloneProgram } from "../program/index.ts";
import type { Runtime, Session } from "../runtime/index.ts";
import { isFloat, type Tensor } from "../tensor/index.ts";
import { loopSteps } from "./loop-steps.ts";
import { SessionCache, shapesKey } from "./session-cache.ts";
import type { StepVariable, TrainStep } from "./train-step.ts";
import { WATCH, watchFinite } from "./watch-finite.ts";

/** How steps become sessions. */
export interface StepSessionOptions {
  readonly runtime: Runtime;
  readonly target: LoweringTarget;
  /** Whether sessions take many steps in one run. */
  readonly loop: boolean;
}

/** A step for certain shapes, ready to run. */
export interface StepSession {
  readonly step: TrainStep;
  readonly session: Session;
}

/** Compiles a step for the shapes of the batches that come, and keeps the last few. */
export class StepSessions {
  readonly #step: TrainStep;
  readonly #options: StepSessionOptions;
  readonly #sessions = new SessionCache<StepSession>();

  constructor(step: TrainStep, options: StepSessionOptions) {
    this.#step = step;
    this.#options = options;
  }

  /**
   * Returns the session for inputs of these shapes.
   *
   * @throws ShapeError naming the layer if the model does not fit them, or if they would change the shapes of variables.
   * @throws RuntimeFailure if ONNX Runtime refuses the step; the message names the layer at fault.
   */
  for(inputs: Readonly<Record<string, Pick<Tensor, "shape">>>): Promise<StepSession> {
    return this.#sessions.for(shapesKey(this.#step.inputs, inputs), () => this.#make(inputs));
  }

  /** Releases all sessions. */
  release(): Promise<void> {
    return this.#sessions.release();
  }

  async #make(inputs: Readonly<Record<string, Pick<Tensor, "shape">>>): Promise<StepSession> {
    const { runtime, target, loop } = this.#options;
    const step = stepFor(this.#step, inputs);
    const { program } = cloneProgram(step.program);
    watchFinite(program, step);
    lowerProgram(program, target);
    const looped = loop ? loopSteps({ ...step, metrics: [...step.metrics, WATCH] }, program) : program;
    const held = step.variables.filter(isHeld).map(({ next }) => next);
    return { step, session: await runtime.createSession(writeModel(looped), { held }) };
  }
}

/** Whether a variable stays where steps run; counters are looked at here in every step. */
function isHeld({ role, dtype }: StepVariable): boolean {
  return role !== "counter" && isFloat(dtype);
}

/** The step itself, or the same for other shapes. */
function stepFor(step: TrainStep, given: Readonly<Record<string, Pick<Tensor, "shape">>>): TrainStep {
  if (shapesKey(step.inputs, given) === shapesKey(step.inputs, step.inputs)) return step;
  const shapes = Object.fromEntries(Object.keys(step.inputs).map((name) => [name, given[name]!.shape]));
  const text = Object.entries(shapes).map(([name, shape]) => `${name} [${shape.join(", ")}]`);
  if (step.builder.program !== step.program) {
    throw new ShapeError(
      `training: batches must have the shapes the step was built for, because its program was changed afterwards, got ` +
        `${text.join(", ")}. Build a step for these shapes too.`,
    );
  }
  const other = step.builder.build(shapes);
  const known = new Map(step.variables.map((variable) => [variable.path, variable]));
  for (const { path, shape } of other.variables) {
    const before = known.get(path)?.shape;
    if (before?.join() === shape.join()) continue;
    throw new ShapeError(
      `training: batches must leave the variables as they are, got ${text.join(", ")}, which makes "${path}" ` +
        `[${shape.join(", ")}] instead of ${before ? `[${before.join(", ")}]` : "none"}.`,
    );
  }
  return other;
}
