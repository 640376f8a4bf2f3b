/** One run of a plan: the loop, and what it remembers. */
import { averagedVariables } from "../optim/index.ts";
import { elementCount, type Tensor, toNumbers } from "../tensor/index.ts";
import type { CompiledEvaluation, Training } from "../train/index.ts";
import { batchesFrom } from "./batches-from.ts";
import type { Checkpoint, Progress } from "./checkpoint.ts";
import type { FitOptions, FitResult } from "./fit.ts";
import { measurePart } from "./measure-part.ts";
import { MetricSums } from "./metric-sums.ts";
import type { Plateau } from "./plateau.ts";
import { ProbeRuns } from "./probe-runs.ts";
import type { EndReason, EvaluationResult, MeasuredWeights, RunEvent, RunPosition } from "./run-event.ts";
import type { Batch, TrainingPlan } from "./training-plan.ts";

/** Steps that are taken in one call of the engine at most: few enough to stop soon, enough to be worth it. */
const LOOP_STEPS = 8;

/** "steps" events in each pass over the data, unless somebody wants others. */
const REPORTS_PER_EPOCH = 20;

/** What a run is made of. */
export interface TrainingRunParts {
  readonly plan: TrainingPlan;
  readonly options: FitOptions;
  readonly training: Training;
  readonly evaluation: CompiledEvaluation;
  /** Of a learning rate that falls on plateaus; the plan's rate asks it. */
  readonly plateau: Plateau | undefined;
  /** `performance.now()` when work began. */
  readonly started: number;
}

type Variables = Readonly<Record<string, Tensor>>;

/** What tells one event from another, without the position. */
type EventContent<Event = RunEvent> = Event extends RunEvent ? Omit<Event, keyof RunPosition | "time"> : never;

/** Takes the steps of a plan, measures, reports and saves. */
export class TrainingRun {
  readonly #plan: TrainingPlan;
  readonly #options: FitOptions;
  readonly #training: Training;
  readonly #evaluation: CompiledEvaluation;
  readonly #plateau: Plateau | undefined;
  readonly #probes: ProbeRuns;
  readonly #started: number;
  readonly #reportEverySteps: number;
  readonly #sums: MetricSums;
  #step: number;
  #best: Progress["best"];
  #evaluationsSinceBest: number;
  /** Whether the current step is still to be measured. */
  #evaluationDue: boolean;
  /** The current step's variables, once somebody asked for them. */
  #variables: Promise<Variables> | undefined;
  #bestVariables: Variables | undefined;
  /** The last evaluation on the plan's first part, of the weights that count. */
  #measured: { readonly step: number; readonly result: EvaluationResult } | undefined;
  #savedStep: number | undefined;
  #savedAt: number;
  /** Steps since the last report in this process, and how long they took with their data: for the throughput. */
  #timed = { steps: 0, ms: 0 };

  constructor({ plan, options, training, evaluation, plateau, started }: TrainingRunParts) {
    const { resume, reportEverySteps = Math.max(1, Math.floor(plan.stepsPerEpoch / REPORTS_PER_EPOCH)) } = options;
    const progress = resume?.progress;
    this.#plan = plan;
    this.#options = options;
    this.#training = training;
    this.#evaluation = evaluation;
    this.#plateau = plateau;
    this.#probes = new ProbeRuns(plan, options);
    this.#started = started;
    this.#reportEverySteps = reportEverySteps;
    this.#sums = new MetricSums(progress?.unreported);
    this.#step = progress?.step ?? 0;
    this.#best = progress?.best ?? null;
    this.#evaluationsSinceBest = progress?.evaluationsSinceBest ?? 0;
    this.#evaluationDue = progress?.evaluationDue ?? false;
    this.#savedStep = progress?.step;
    this.#savedAt = performance.now();
  }

  /** Runs to the end, whatever that is. @param compileMs How long compiling took. */
  async run(compileMs: number): Promise<FitResult> {
    const { totalSteps, stepsPerEpoch, step } = this.#plan;
    const parameters = step.variables.filter(({ role }) => role === "parameter");
    await this.#emit({
      type: "start",
      resumed: this.#options.resume !== undefined,
      totalSteps,
      stepsPerEpoch,
      parameterCount: parameters.reduce((sum, { shape }) => sum + elementCount(shape), 0),
      compileMs,
    });
    const reason = await this.#loop();
    if (this.#savedStep !== this.#step) await this.#save("last");
    const final = await this.#final(reason);
    await this.#emit({ type: "end", reason });
    return {
      reason,
      seconds: this.#seconds(),
      final,
      best: this.#best,
      variables: await this.#currentVariables(),
      ...(this.#bestVariables && { bestVariables: this.#bestVariables }),
    };
  }

  /** Frees sessions; the training is the caller's. */
  async release(): Promise<void> {
    await this.#probes.release();
    await this.#evaluation.release();
  }

  async #loop(): Promise<EndReason> {
    const batches = batchesFrom(this.#plan, this.#step);
    try {
      if (this.#evaluationDue) await this.#measure();
      for (;;) {
        const reason = this.#reasonToEnd();
        if (reason) return reason;
        const taken = await this.#takeSteps(batches);
        await this.#afterSteps(taken.at(-1)!);
      }
    } finally {
      await batches.return(undefined);
    }
  }

  #reasonToEnd(): EndReason | undefined {
    const { totalSteps, earlyStopping } = this.#plan;
    const { signal, timeBudgetSeconds = Number.POSITIVE_INFINITY } = this.#options;
    if (this.#evaluationDue) return "interrupted";
    if (this.#step >= totalSteps) return "completed";
    if (earlyStopping && this.#evaluationsSinceBest >= earlyStopping.patience) return "early stopping";
    if (signal?.aborted) return "interrupted";
    return performance.now() - this.#started >= 1000 * timeBudgetSeconds ? "time budget" : undefined;
  }

  /** Takes one step, or several where nothing is due between them, and returns their batches. */
  async #takeSteps(batches: AsyncGenerator<Batch>): Promise<Batch[]> {
    const started = performance.now();
    const count = this.#options.loop ? Math.min(LOOP_STEPS, this.#stepsUntilSomethingIsDue()) : 1;
    const group: Batch[] = [];
    try {
      while (group.length < count) {
        const { value, done } = await batches.next();
        if (done) break;
        group.push(value);
      }
      this.#variables = undefined;
      for (const metrics of await this.#training.runMany(group)) this.#sums.add(metrics);
    } catch (error) {
      await this.#saveLastGood();
      throw error;
    }
    this.#step += group.length;
    this.#timed.steps += group.length;
    this.#timed.ms += performance.now() - started;
    return group;
  }

  #stepsUntilSomethingIsDue(): number {
    const intervals = [this.#reportEverySteps, this.#plan.evaluationEverySteps];
    const toNext = intervals.map((every) => every - (this.#step % every));
    const toProbe = this.#probes.nextStep(this.#step) - this.#step;
    return Math.min(this.#plan.totalSteps - this.#step, toProbe, ...toNext);
  }

  /** A step failed, or its data: saves what is there, so that only the cause has to be mended. */
  async #saveLastGood(): Promise<void> {
    try {
      this.#variables = undefined;
      // Steps of the group before the one that failed are taken; their metrics are not known, and not in the means.
      this.#step = toNumbers((await this.#currentVariables()).step!)[0]!;
      if (this.#savedStep !== this.#step) await this.#save("last");
    } catch {
      // The first failure says more.
    }
  }

  /** Does what is due after a step. */
  async #afterSteps(batch: Batch): Promise<void> {
    const isLast = this.#step === this.#plan.totalSteps;
    this.#evaluationDue = isLast || this.#step % this.#plan.evaluationEverySteps === 0;
    if (this.#evaluationDue || this.#step % this.#reportEverySteps === 0) await this.#report();
    await this.#probe(batch, isLast);
    if (this.#evaluationDue) return this.#measure();
    const { checkpointEverySeconds = 60 } = this.#options;
    if (performance.now() - this.#savedAt >= 1000 * checkpointEverySeconds) await this.#save("last");
  }

  async #report(): Promise<void> {
    const { learningRate } = this.#plan.step;
    const { steps, ms } = this.#timed;
    this.#timed = { steps: 0, ms: 0 };
    await this.#emit({
      type: "steps",
      metrics: this.#sums.take(),
      learningRate: typeof learningRate === "number" ? learningRate : learningRate(this.#step - 1),
      samplesPerSecond: (1000 * steps * this.#plan.batchSize) / ms,
    });
  }

  async #probe(batch: Batch, isLast: boolean): Promise<void> {
    const place = { step: this.#step, epoch: this.#step / this.#plan.stepsPerEpoch, batch, isLast };
    for await (const { name, values } of this.#probes.measure(place, () => this.#currentVariables())) {
      await this.#emit({ type: "probe", name, values });
    }
  }

  /** Measures all parts, remembers whether it was the best, and saves; unless it is interrupted: then it stays due. */
  async #measure(): Promise<void> {
    const { parts, averaging } = this.#plan;
    const { signal } = this.#options;
    const weights: MeasuredWeights[] = averaging ? ["last", "average"] : ["last"];
    const found: EventContent[] = [];
    let deciding: EvaluationResult | undefined;
    try {
      for (const part of parts) {
        for (const which of weights) {
          const result = await measurePart(part, this.#evaluation, await this.#weights(which), signal);
          found.push({ type: "evaluation", split: part.split, weights: which, ...result });
          if (part === parts[0]) deciding = result;
        }
      }
    } catch (error) {
      if (!signal?.aborted) throw error;
      // Nothing was said yet, and the checkpoint at the end says that it is still to come.
      this.#savedStep = undefined;
      return;
    }
    for (const content of found) await this.#emit(content);
    this.#evaluationDue = false;
    if (!deciding) return this.#save("last");
    this.#measured = { step: this.#step, result: deciding };
    this.#plateau?.observe(deciding);
    const isBest = this.#isBest(deciding);
    this.#evaluationsSinceBest = isBest ? 0 : this.#evaluationsSinceBest + 1;
    if (isBest) {
      const { top1, loss } = deciding;
      this.#best = { epoch: this.#step / this.#plan.stepsPerEpoch, step: this.#step, top1, loss };
      this.#bestVariables = await this.#currentVariables();
    }
    await this.#save(isBest ? "best" : "last");
  }

  #isBest({ top1, loss }: EvaluationResult): boolean {
    if (!Number.isFinite(loss)) return false;
    const best = this.#best;
    if (best === null) return true;
    const isLossBetter = loss < best.loss;
    if (this.#plan.earlyStopping?.metric === "loss") return isLossBetter;
    return top1 > best.top1 || (top1 === best.top1 && isLossBetter);
  }

  /** The last weights, measured already or now; they are not an event, because no plan asks for this evaluation. */
  async #final(reason: EndReason): Promise<EvaluationResult | null> {
    if (this.#measured?.step === this.#step) return this.#measured.result;
    const [part] = this.#plan.parts;
    const { signal } = this.#options;
    if (!part || reason === "interrupted") return null;
    try {
      const weights = await this.#weights(this.#plan.averaging ? "average" : "last");
      return await measurePart(part, this.#evaluation, weights, signal);
    } catch (error) {
      if (signal?.aborted) return null;
      throw error;
    }
  }

  async #weights(which: MeasuredWeights): Promise<Variables> {
    const variables = await this.#currentVariables();
    // Before the first step there is no average.
    return which === "average" && this.#step > 0 ? averagedVariables(variables) : variables;
  }

  #currentVariables(): Promise<Variables> {
    this.#variables ??= this.#training.variables();
    return this.#variables;
  }

  async #save(kind: "last" | "best"): Promise<void> {
    this.#savedAt = performance.now();
    this.#savedStep = this.#step;
    if (!this.#options.saveCheckpoint) return;
    const { stepsPerEpoch } = this.#plan;
    const progress: Checkpoint["progress"] = {
      step: this.#step,
      epoch: Math.floor(this.#step / stepsPerEpoch),
      batch: this.#step % stepsPerEpoch,
      seconds: this.#seconds(),
      best: this.#best,
      evaluationsSinceBest: this.#evaluationsSinceBest,
      unreported: this.#sums.unreported(),
      ...(this.#evaluationDue && { evaluationDue: true }),
      ...(this.#plateau && { plateau: this.#plateau.state }),
    };
    await this.#options.saveCheckpoint({ progress, variables: await this.#currentVariables() }, kind);
    this.#savedAt = performance.now();
    await this.#emit({ type: "checkpoint", kind });
  }

  #seconds(): number {
    return (this.#options.resume?.progress.seconds ?? 0) + (performance.now() - this.#started) / 1000;
  }

  async #emit(content: EventContent): Promise<void> {
    const epoch = this.#step / this.#plan.stepsPerEpoch;
    const position = { step: this.#step, epoch, seconds: this.#seconds(), time: Date.now() };
    await this.#options.onEvent?.({ ...position, ...content } as RunEvent);
  }
}
