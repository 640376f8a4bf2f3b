/** The probes of a run: when they are due, and what they are given. */
import type { Tensor } from "../tensor/index.ts";
import { type CompiledEvaluation, compileEvaluation, initialVariables } from "../train/index.ts";
import type { FitOptions } from "./fit.ts";
import type { Probe, ProbeContext } from "./probe.ts";
import type { Batch, TrainingPlan } from "./training-plan.ts";

/** Where a run is when probes measure. */
export interface ProbePlace extends Pick<ProbeContext, "step" | "epoch" | "batch"> {
  /** Whether this is the last step: every probe is due then. */
  readonly isLast: boolean;
}

/** Calls the probes that are due. */
export class ProbeRuns {
  /** Of each probe, the number of steps after which it is due next, from a step on. */
  readonly #next: readonly ((step: number) => number)[];
  readonly #plan: TrainingPlan;
  readonly #options: Pick<FitOptions, "runtime" | "probes">;
  readonly #probes: readonly (readonly [string, Probe])[];
  /** Evaluations with taps, by the taps. */
  readonly #tapping = new Map<string, Promise<CompiledEvaluation>>();
  #firstBatch: Batch | undefined;

  constructor(plan: TrainingPlan, options: Pick<FitOptions, "runtime" | "probes">) {
    this.#plan = plan;
    this.#options = options;
    this.#probes = Object.entries(options.probes ?? {});
    this.#next = this.#probes.map(([, { every }]) => {
      if ("doubling" in every) return (step) => 2 ** (32 - Math.clz32(step));
      const steps = "steps" in every ? every.steps : Math.max(1, Math.round(every.epochs * plan.stepsPerEpoch));
      return (step) => step + steps - (step % steps);
    });
  }

  /** Returns the number of steps after which a probe is due next: infinity without probes. */
  nextStep(step: number): number {
    return Math.min(...this.#next.map((next) => next(step)));
  }

  /** Yields what the probes that are due measure. */
  async *measure(
    { step, epoch, batch, isLast }: ProbePlace,
    variables: () => Promise<Readonly<Record<string, Tensor>>>,
  ): AsyncGenerator<{ readonly name: string; readonly values: Readonly<Record<string, number>> }> {
    const context: ProbeContext = {
      plan: this.#plan,
      runtime: this.#options.runtime,
      step,
      epoch,
      batch,
      variables,
      initialVariables: () => ({
        ...initialVariables(this.#plan.step.variables, this.#plan.seed, this.#plan.initialVariables),
        ...this.#plan.initialVariables,
      }),
      tap: async (paths, given) => {
        const compiled = await this.#tapped(paths);
        const results = await compiled.run(given ?? (await this.#batch()), await variables());
        return Object.fromEntries(paths.map((path) => [path, results[path]!]));
      },
    };
    for (const [index, [name, probe]] of this.#probes.entries()) {
      if (isLast || this.#next[index]!(step - 1) === step) yield { name, values: await probe.measure(context) };
    }
  }

  /** Releases what probes hold. */
  async release(): Promise<void> {
    for (const [, probe] of this.#probes) await probe.release?.();
    for (const compiled of this.#tapping.values()) await (await compiled).release();
  }

  #tapped(paths: readonly string[]): Promise<CompiledEvaluation> {
    const key = JSON.stringify(paths);
    const known = this.#tapping.get(key);
    if (known) return known;
    const { runtime } = this.#options;
    const made = compileEvaluation(this.#plan.evaluation.build({}, paths), { runtime });
    this.#tapping.set(key, made);
    made.catch(() => this.#tapping.delete(key));
    return made;
  }

  /** The same samples every time, so that values can be compared over time. */
  async #batch(): Promise<Batch> {
    if (this.#firstBatch) return this.#firstBatch;
    for await (const batch of this.#plan.parts[0]!.batches()) {
      this.#firstBatch = batch;
      break;
    }
    return this.#firstBatch!;
  }
}
