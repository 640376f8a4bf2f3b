/** Compiling a training step for a device, and running it. */
import { stackSamples } from "../data/index.ts";
import { RuntimeFailure } from "../errors.ts";
import { type LoweringTable, loweringTarget, lowerProgram } from "../lower/index.ts";
import { writeModel } from "../onnx/index.ts";
import { cloneProgram } from "../program/index.ts";
import type { Runtime, Session } from "../runtime/index.ts";
import { Tensor, tensorOf, toNumbers } from "../tensor/index.ts";
import { assertBatch, assertVariables } from "./check-batch.ts";
import { firstNonFinite } from "./first-non-finite.ts";
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
  /** Which forms of gradients are fastest on this machine, as `tuneLowering` or `modicum tune` measured. Default: what we measured. */
  readonly table?: LoweringTable;
}

/**
 * Compiles a training step: lowers it for the runtime's device and creates the session.
 *
 * @throws RuntimeFailure if ONNX Runtime refuses the step; the message names the layer at fault.
 * @throws OptionError if `variables` has one that the step does not have, or of another shape.
 * @example
 * const training = await compile(step, { runtime: await nodeRuntime() });
 * const { loss } = await training.run({ x, label });
 */
export async function compile(step: TrainStep, options: CompileOptions): Promise<Training> {
  const { runtime, seed = 0, variables = {}, table } = options;
  const { program } = cloneProgram(step.program);
  lowerProgram(program, await loweringTarget(runtime, table && { table }));
  const session = await runtime.createSession(writeModel(options.loop ? loopSteps(step, program) : program));
  const start = { ...initialVariables(step.variables, seed), ...variables };
  return new Training({ step, session, runtime, loops: options.loop ?? false, variables: start });
}

/** How steps are taken. */
export interface RunOptions {
  /** Stops before the next step, with the signal's reason; variables are those after the last whole step. */
  readonly signal?: AbortSignal;
}

/** What a training is made of. */
interface TrainingParts {
  readonly step: TrainStep;
  readonly session: Session;
  readonly runtime: Runtime;
  readonly loops: boolean;
  readonly variables: Record<string, Tensor>;
}

/** A compiled training step with its variables. */
export class Training {
  readonly step: TrainStep;
  readonly #session: Session;
  readonly #runtime: Runtime;
  #variables: Record<string, Tensor>;
  readonly #loops: boolean;
  /** Steps taken, before a resume too: schedules go on where they were. */
  #taken: number;

  constructor({ step, session, runtime, loops, variables }: TrainingParts) {
    assertVariables(variables, step);
    this.step = step;
    this.#session = session;
    this.#runtime = runtime;
    this.#loops = loops;
    this.#variables = variables;
    this.#taken = toNumbers(variables[STEP]!)[0]!;
  }

  /** All variables by path, as they are after the last step. */
  get variables(): Readonly<Record<string, Tensor>> {
    return this.#variables;
  }

  /**
   * Goes on from other variables: those of a checkpoint, or of an earlier step.
   *
   * @throws OptionError if they are not all of the step's variables, with their shapes.
   */
  restore(variables: Readonly<Record<string, Tensor>>): void {
    assertVariables(variables, this.step);
    this.#variables = { ...variables };
    this.#taken = toNumbers(variables[STEP]!)[0]!;
  }

  /** Takes one step on a batch, and returns the loss and the other metrics. Throws what `runMany` throws. */
  async run(batch: Readonly<Record<string, Tensor>>, options: RunOptions = {}): Promise<Record<string, Tensor>> {
    const [metrics] = await this.runMany([batch], options);
    return metrics!;
  }

  /**
   * Takes one step on each batch in turn, and returns the metrics of each. What is computed is the same as with `run`, bit for
   * bit; compiled with `loop`, it is one call of the engine.
   *
   * @throws OptionError, ShapeError, DTypeError before anything runs if a batch is not what the step was built for.
   * @throws RuntimeFailure if the loss is not finite, naming the step and the first value that is not; the variables are then
   *   those before that step (with `loop`: before the call).
   * @throws The signal's reason if it is aborted.
   */
  async runMany(
    batches: readonly Readonly<Record<string, Tensor>>[],
    { signal }: RunOptions = {},
  ): Promise<Record<string, Tensor>[]> {
    for (const batch of batches) assertBatch(batch, this.step);
    signal?.throwIfAborted();
    if (batches.length === 0) return [];
    if (this.#loops) return this.#runLoop(batches);
    const all: Record<string, Tensor>[] = [];
    for (const batch of batches) {
      signal?.throwIfAborted();
      const feeds = this.#feeds(batch, this.#scalar(this.#rate(this.#taken)));
      const results = await this.#session.run(feeds);
      if (!isFiniteAt(results.loss!, 0)) throw await this.#notFinite(results.loss!, 0, feeds);
      this.#keep(results, 1);
      all.push(Object.fromEntries(this.step.metrics.map((name) => [name, results[name]!])));
    }
    return all;
  }

  async #runLoop(batches: readonly Readonly<Record<string, Tensor>>[]): Promise<Record<string, Tensor>[]> {
    const rates = batches.map((_, index) => ({ rate: this.#scalar(this.#rate(this.#taken + index)) }));
    const feeds = this.#feeds(stackSamples(batches), stackSamples(rates).rate!);
    const results = await this.#session.run(feeds);
    const wrong = batches.findIndex((_, index) => !isFiniteAt(results.loss!, index));
    if (wrong === 0) throw await this.#notFinite(results.loss!, 0, this.#feeds(batches[0]!, rates[0]!.rate));
    if (wrong > 0) throw await this.#notFinite(results.loss!, wrong, undefined);
    this.#keep(results, batches.length);
    return batches.map((_, index) =>
      Object.fromEntries(this.step.metrics.map((name) => [name, partOf(results[name]!, index)])),
    );
  }

  /** The error for a loss that is not finite; `feeds` are those of the step, where they are known. */
  async #notFinite(
    loss: Tensor,
    index: number,
    feeds: Readonly<Record<string, Tensor>> | undefined,
  ): Promise<RuntimeFailure> {
    const first = feeds && (await firstNonFinite(this.step, feeds, this.#runtime));
    const where = first === undefined ? "" : ` The first value that is not finite is ${first}.`;
    return new RuntimeFailure(
      `training: the loss must be finite, got ${toNumbers(loss)[index]} in step ${this.#taken + index}.${where} ` +
        `Variables are those before ${index === 0 ? "that step" : `step ${this.#taken}`}. ` +
        "Lower the learning rate, clip gradients, or look at the data.",
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

/** Whether the number at `index` is finite, whatever its element type. */
function isFiniteAt(tensor: Tensor, index: number): boolean {
  return Number.isFinite(toNumbers(tensor)[index]);
}

/** The tensor at `index` along the first axis. */
function partOf({ dtype, shape, data }: Tensor, index: number): Tensor {
  const length = data.length / shape[0]!;
  return new Tensor(dtype, shape.slice(1), data.slice(index * length, (index + 1) * length));
}
