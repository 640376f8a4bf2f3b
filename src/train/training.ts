/** Taking training steps: batches in, metrics out, variables handed from step to step. */
import { stackSamples } from "../data/index.ts";
import { RuntimeFailure } from "../errors.ts";
import type { HeldTensor, Runtime } from "../runtime/index.ts";
import { Tensor, tensorOf, toNumbers } from "../tensor/index.ts";
import { assertBatch, assertVariables } from "./check-batch.ts";
import { firstNonFinite } from "./first-non-finite.ts";
import type { StepSession, StepSessions } from "./step-sessions.ts";
import { LEARNING_RATE, STEP, type TrainStep } from "./train-step.ts";
import { WATCH } from "./watch-finite.ts";

/** Inputs of a step by name. */
type Batch = Readonly<Record<string, Tensor>>;

/** How steps are taken. */
export interface RunOptions {
  /**
   * Stops before the next step, with the signal's reason; a step that has begun is finished. Variables are those after the
   * last whole step.
   */
  readonly signal?: AbortSignal;
}

/** What a training is made of. */
export interface TrainingParts {
  readonly step: TrainStep;
  readonly sessions: StepSessions;
  readonly runtime: Runtime;
  readonly loop: boolean;
  readonly variables: Readonly<Record<string, Tensor>>;
}

/**
 * A compiled training step with its variables, which stay where the steps run: on the GPU, or in a worker. Calls may overlap;
 * they are done one after the other.
 */
export class Training {
  readonly step: TrainStep;
  readonly #sessions: StepSessions;
  readonly #runtime: Runtime;
  readonly #loop: boolean;
  #variables: Readonly<Record<string, Tensor | HeldTensor>>;
  /** Steps taken, before a resume too: schedules go on where they were. */
  #taken: number;
  #last: Promise<unknown> = Promise.resolve();
  #released = false;

  constructor({ step, sessions, runtime, loop, variables }: TrainingParts) {
    assertVariables(variables, step);
    this.step = step;
    this.#sessions = sessions;
    this.#runtime = runtime;
    this.#loop = loop;
    this.#variables = variables;
    this.#taken = toNumbers(variables[STEP]!)[0]!;
  }

  /** Returns all variables by path, as they are after the last step. */
  variables(): Promise<Record<string, Tensor>> {
    return this.#inTurn(() => read(this.#variables));
  }

  /**
   * Goes on from other variables: those of a checkpoint, or of an earlier step. Their memory is used as it is: do not write
   * to it afterwards.
   *
   * @throws OptionError if they are not all of the step's variables, with their shapes.
   */
  restore(variables: Readonly<Record<string, Tensor>>): Promise<void> {
    return this.#inTurn(async () => {
      assertVariables(variables, this.step);
      this.#keep({ ...variables });
    });
  }

  /** Takes one step on a batch, and returns the loss and the other metrics. Throws what `runMany` throws. */
  async run(batch: Batch, options: RunOptions = {}): Promise<Record<string, Tensor>> {
    const [metrics] = await this.runMany([batch], options);
    return metrics!;
  }

  /**
   * Takes one step on each batch in turn, and returns the metrics of each. What is computed is the same as with `run`, bit for
   * bit; compiled with `loop`, batches of one shape that follow each other are one call of the engine. A batch of another
   * shape than the step was built for, such as a last one that is not full, compiles the step for that shape; the last four
   * shapes are kept.
   *
   * @throws OptionError, DTypeError, ShapeError before anything runs if a batch is not the step's.
   * @throws RuntimeFailure if the loss or a variable is not finite after a step, naming the step and the first value that is
   *   not; the variables are then those before that step.
   * @throws The signal's reason if it is aborted.
   */
  runMany(batches: readonly Batch[], { signal }: RunOptions = {}): Promise<Record<string, Tensor>[]> {
    return this.#inTurn(async () => {
      for (const batch of batches) assertBatch(batch, this.step.inputs);
      const groups = this.#loop ? groupByShape(batches) : batches.map((batch) => [batch]);
      const all: Record<string, Tensor>[] = [];
      for (const group of groups) {
        signal?.throwIfAborted();
        all.push(...(await this.#take(await this.#sessions.for(group[0]!), group)));
      }
      return all;
    });
  }

  /** Frees sessions and variables. Read the variables before. */
  release(): Promise<void> {
    return this.#inTurn(async () => {
      this.#keep({});
      this.#released = true;
      await this.#sessions.release();
    });
  }

  /** Takes the steps of batches of one shape. */
  async #take(compiled: StepSession, batches: readonly Batch[]): Promise<Record<string, Tensor>[]> {
    const feeds = this.#feeds(batches);
    const { results, held } = await compiled.session.runHolding(feeds);
    const bad = batches.findIndex((_, index) => !isFiniteAt(results, index));
    if (bad >= 0 && batches.length > 1) {
      // Steps before and after it are taken again, it alone: what is before it is kept.
      for (const tensor of Object.values(held)) tensor.release();
      const parts = [batches.slice(0, bad), batches.slice(bad, bad + 1), batches.slice(bad + 1)];
      const all: Record<string, Tensor>[] = [];
      for (const part of parts) if (part.length > 0) all.push(...(await this.#take(compiled, part)));
      return all;
    }
    if (bad === 0) {
      const loss = toNumbers(results.loss!)[0]!;
      const first = await this.#firstNonFinite(compiled, batches[0]!);
      // The watch may overflow in a sum of finite numbers; then nothing is found.
      if (first !== undefined || !Number.isFinite(loss)) {
        for (const tensor of Object.values(held)) tensor.release();
        throw this.#notFinite(loss, first);
      }
    }
    this.#keep(Object.fromEntries(this.step.variables.map(({ path, next }) => [path, held[next] ?? results[next]!])));
    return batches.map((_, index) =>
      Object.fromEntries(
        this.step.metrics.map((name) => [name, this.#loop ? partOf(results[name]!, index) : results[name]!]),
      ),
    );
  }

  async #firstNonFinite({ step }: StepSession, batch: Batch): Promise<string | undefined> {
    const rate = this.#rate(this.#taken);
    return firstNonFinite(step, { ...batch, ...(await read(this.#variables)), [LEARNING_RATE]: rate }, this.#runtime);
  }

  #notFinite(loss: number, first: string | undefined): RuntimeFailure {
    const wrong = Number.isFinite(loss)
      ? "variables must stay finite, got others"
      : `the loss must be finite, got ${loss}`;
    const where = first === undefined ? "" : ` The first value that is not finite is ${first}.`;
    return new RuntimeFailure(
      `training: ${wrong} in step ${this.#taken}.${where} Variables are those before that step. ` +
        "Lower the learning rate, clip gradients, or look at the data.",
    );
  }

  #feeds(batches: readonly Batch[]): Record<string, Tensor | HeldTensor> {
    const rates = batches.map((_, index) => ({ rate: this.#rate(this.#taken + index) }));
    const [batch, rate] = this.#loop
      ? [stackSamples(batches), stackSamples(rates).rate!]
      : [batches[0]!, rates[0]!.rate];
    return { ...batch, ...this.#variables, [LEARNING_RATE]: rate };
  }

  #keep(variables: Readonly<Record<string, Tensor | HeldTensor>>): void {
    for (const before of Object.values(this.#variables)) if (!(before instanceof Tensor)) before.release();
    this.#variables = variables;
    const step = variables[STEP];
    if (step instanceof Tensor) this.#taken = toNumbers(step)[0]!;
  }

  #rate(step: number): Tensor {
    const { learningRate, dtype } = this.step;
    return tensorOf(dtype, [], [typeof learningRate === "number" ? learningRate : learningRate(step)]);
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(() => {
      if (this.#released)
        throw new RuntimeFailure("training: must not be released before it is used. Release it last.");
      return work();
    });
    this.#last = result.catch(() => {});
    return result;
  }
}

async function read(variables: Readonly<Record<string, Tensor | HeldTensor>>): Promise<Record<string, Tensor>> {
  const entries = Object.entries(variables).map(
    async ([path, variable]) => [path, variable instanceof Tensor ? variable : await variable.read()] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

/** Whether loss and watch of the step at `index` are finite. */
function isFiniteAt(results: Readonly<Record<string, Tensor>>, index: number): boolean {
  return ["loss", WATCH].every((name) => {
    const tensor = results[name];
    return tensor === undefined || Number.isFinite(toNumbers(tensor)[index]);
  });
}

/** Batches of equal shapes that follow each other. */
function groupByShape(batches: readonly Batch[]): Batch[][] {
  const keyOf = (batch: Batch): string =>
    JSON.stringify(Object.entries(batch).map(([name, { shape }]) => [name, shape]));
  const groups: Batch[][] = [];
  for (const batch of batches) {
    const last = groups.at(-1);
    if (last && keyOf(last[0]!) === keyOf(batch)) last.push(batch);
    else groups.push([batch]);
  }
  return groups;
}

/** The tensor at `index` along the first axis. */
function partOf({ dtype, shape, data }: Tensor, index: number): Tensor {
  const length = data.length / shape[0]!;
  return new Tensor(dtype, shape.slice(1), data.slice(index * length, (index + 1) * length));
}
