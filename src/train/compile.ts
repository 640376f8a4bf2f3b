/** Compiling a training step for a device, and running it. */
import { lowerProgram } from "../lower/index.ts";
import { writeModel } from "../onnx/index.ts";
import { cloneProgram } from "../program/index.ts";
import type { Runtime, Session } from "../runtime/index.ts";
import { Tensor } from "../tensor/index.ts";
import { initialVariables } from "./initial-variables.ts";
import { LEARNING_RATE, type TrainStep } from "./train-step.ts";

/** How a step is compiled. */
export interface CompileOptions {
  readonly runtime: Runtime;
  /** Seed of the initial parameters and of all random numbers. Default 0. */
  readonly seed?: number;
  /** Variables to start from, by path; those that are absent start from their initializers. */
  readonly variables?: Readonly<Record<string, Tensor>>;
}

/**
 * Compiles a training step: lowers it for the runtime's device and creates the session.
 *
 * @throws RuntimeFailure if ONNX Runtime refuses the step.
 */
export async function compile(step: TrainStep, options: CompileOptions): Promise<Training> {
  const { runtime, seed = 0, variables = {} } = options;
  const { program } = cloneProgram(step.program);
  lowerProgram(program, { device: runtime.device });
  const session = await runtime.createSession(writeModel(program));
  return new Training(step, session, { ...initialVariables(step.variables, seed), ...variables });
}

/** A compiled training step with its variables. */
export class Training {
  readonly step: TrainStep;
  readonly #session: Session;
  #variables: Record<string, Tensor>;
  #taken = 0;

  constructor(step: TrainStep, session: Session, variables: Record<string, Tensor>) {
    this.step = step;
    this.#session = session;
    this.#variables = variables;
  }

  /** All variables by path, as they are after the last step. */
  get variables(): Readonly<Record<string, Tensor>> {
    return this.#variables;
  }

  /** Takes one step on a batch, and returns the loss and the other metrics. */
  async run(batch: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
    const { learningRate, metrics, variables } = this.step;
    const rate = typeof learningRate === "number" ? learningRate : learningRate(this.#taken);
    const feeds = { ...batch, ...this.#variables, [LEARNING_RATE]: scalarOf(this.step.dtype, rate) };
    const results = await this.#session.run(feeds);
    this.#variables = Object.fromEntries(variables.map(({ path, next }) => [path, results[next]!]));
    this.#taken++;
    return Object.fromEntries(metrics.map((name) => [name, results[name]!]));
  }

  /** Frees the session's memory. */
  release(): Promise<void> {
    return this.#session.release();
  }
}

function scalarOf(dtype: TrainStep["dtype"], number: number): Tensor {
  return new Tensor(dtype, [], dtype === "float64" ? Float64Array.of(number) : Float32Array.of(number));
}
