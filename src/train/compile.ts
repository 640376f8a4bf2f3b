/** Compiling a training step for a device, and running it. */
import { stackSamples } from "../data/index.ts";
import { loweringTarget, lowerProgram } from "../lower/index.ts";
import { writeModel } from "../onnx/index.ts";
import { cloneProgram } from "../program/index.ts";
import type { Runtime, Session } from "../runtime/index.ts";
import { Tensor, tensorOf, toNumbers } from "../tensor/index.ts";
import { initialVariables } from "./initial-variables.ts";
import { loopSteps } from "./loop-steps.ts";
import { LEARNING_RATE, STEP, type TrainStep } from "./train-step.ts";

/** How a step is compiled. */
export interface CompileOptions {
  readonly runtime: Runtime;
  /** Seed of the initial parameters and of all random numbers. Default 0. */
  readonly seed?: number;
  /** Variables to start from, by path; those that are absent start from their initializers. */
  readonly variables?: Readonly<Record<string, Tensor>>;
  /**
   * Makes the step the body of an ONNX Loop, so that `runMany` takes many steps in one call of the engine and variables stay
   * inside it between them: faster where variables are large next to the work of a step. Default false.
   */
  readonly loop?: boolean;
}

/**
 * Compiles a training step: lowers it for the runtime's device and creates the session.
 *
 * @throws RuntimeFailure if ONNX Runtime refuses the step.
 */
export async function compile(step: TrainStep, options: CompileOptions): Promise<Training> {
  const { runtime, seed = 0, variables = {} } = options;
  const { program } = cloneProgram(step.program);
  lowerProgram(program, await loweringTarget(runtime));
  const session = await runtime.createSession(writeModel(options.loop ? loopSteps(step, program) : program));
  return new Training(step, session, options.loop ?? false, {
    ...initialVariables(step.variables, seed),
    ...variables,
  });
}

/** A compiled training step with its variables. */
export class Training {
  readonly step: TrainStep;
  readonly #session: Session;
  #variables: Record<string, Tensor>;
  readonly #loops: boolean;
  /** Steps taken, before a resume too: schedules go on where they were. */
  #taken: number;

  constructor(step: TrainStep, session: Session, loops: boolean, variables: Record<string, Tensor>) {
    this.step = step;
    this.#session = session;
    this.#loops = loops;
    this.#variables = variables;
    this.#taken = toNumbers(variables[STEP]!)[0]!;
  }

  /** All variables by path, as they are after the last step. */
  get variables(): Readonly<Record<string, Tensor>> {
    return this.#variables;
  }

  /** Takes one step on a batch, and returns the loss and the other metrics. */
  async run(batch: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
    const [metrics] = await this.runMany([batch]);
    return metrics!;
  }

  /**
   * Takes one step on each batch in turn, and returns the metrics of each. What is computed is the same as with `run`, bit for
   * bit; compiled with `loop`, it is one call of the engine.
   */
  async runMany(batches: readonly Readonly<Record<string, Tensor>>[]): Promise<Record<string, Tensor>[]> {
    if (batches.length === 0) return [];
    if (this.#loops) return this.#runLoop(batches);
    const all: Record<string, Tensor>[] = [];
    for (const batch of batches) {
      const rate = this.#scalar(this.#rate(this.#taken));
      const results = await this.#session.run(this.#feeds(batch, rate));
      this.#keep(results, 1);
      all.push(Object.fromEntries(this.step.metrics.map((name) => [name, results[name]!])));
    }
    return all;
  }

  async #runLoop(batches: readonly Readonly<Record<string, Tensor>>[]): Promise<Record<string, Tensor>[]> {
    const rates = stackSamples(batches.map((_, index) => ({ rate: this.#scalar(this.#rate(this.#taken + index)) })));
    const results = await this.#session.run(this.#feeds(stackSamples(batches), rates.rate!));
    this.#keep(results, batches.length);
    return batches.map((_, index) =>
      Object.fromEntries(this.step.metrics.map((name) => [name, partOf(results[name]!, index)])),
    );
  }

  #feeds(batch: Readonly<Record<string, Tensor>>, rate: Tensor): Record<string, Tensor> {
    return { ...batch, ...this.#variables, [LEARNING_RATE]: rate };
  }

  #keep(results: Readonly<Record<string, Tensor>>, steps: number): void {
    this.#variables = Object.fromEntries(this.step.variables.map(({ path, next }) => [path, results[next]!]));
    this.#taken += steps;
  }

  #rate(step: number): number {
    const { learningRate } = this.step;
    return typeof learningRate === "number" ? learningRate : learningRate(step);
  }

  #scalar(number: number): Tensor {
    return tensorOf(this.step.dtype, [], [number]);
  }

  /** Frees the session's memory. */
  release(): Promise<void> {
    return this.#session.release();
  }
}

/** The tensor at `index` along the first axis. */
function partOf({ dtype, shape, data }: Tensor, index: number): Tensor {
  const length = data.length / shape[0]!;
  return new Tensor(dtype, shape.slice(1), data.slice(index * length, (index + 1) * length));
}
