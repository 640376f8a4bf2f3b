/** Training a network by a plan: steps, evaluations, checkpoints, and a stream of what happens. */
import { OptionError } from "../errors.ts";
import type { Runtime } from "../runtime/index.ts";
import { type Tensor, toNumbers } from "../tensor/index.ts";
import { compile, compileEvaluation } from "../train/index.ts";
import type { Checkpoint, Progress } from "./checkpoint.ts";
import { Plateau } from "./plateau.ts";
import type { Probe } from "./probe.ts";
import type { EndReason, EvaluationResult, OnRunEvent } from "./run-event.ts";
import type { TrainingPlan } from "./training-plan.ts";
import { TrainingRun } from "./training-run.ts";

/** How a plan is carried out. None of this changes what is computed. */
export interface FitOptions {
  readonly runtime: Runtime;
  /** Goes on from here instead of starting: as if the run had never stopped, bit for bit. */
  readonly resume?: Checkpoint;
  /** Called with everything that happens; the run waits for it. */
  readonly onEvent?: OnRunEvent;
  /** Keeps a checkpoint: "best" is one that was measured as better than all before. Default: nothing is kept. */
  readonly saveCheckpoint?: (checkpoint: Checkpoint, kind: "last" | "best") => Promise<void>;
  /** Seconds between checkpoints; there is one after each evaluation and at the end too. Default 60. */
  readonly checkpointEverySeconds?: number;
  /** Ends the run, between two steps, this many seconds after the call. Default: no limit. */
  readonly timeBudgetSeconds?: number;
  /** Steps between "steps" events; there is one before each evaluation too. Default: twenty events in each pass. */
  readonly reportEverySteps?: number;
  /** Measures something every so often, by name. */
  readonly probes?: Readonly<Record<string, Probe>>;
  /**
   * Whether eight steps are taken in one call of the engine where no event is due between them (`compile`). Results are the
   * same, bit for bit. Default false: from a small MLP to ResNet-20 it was no faster on a CPU.
   */
  readonly loop?: boolean;
  /** Ends the run after the current step, or in the middle of an evaluation, with a checkpoint. */
  readonly signal?: AbortSignal;
}

/** What a run came to. */
export interface FitResult {
  readonly reason: EndReason;
  /** Seconds of work, those before a resume too. */
  readonly seconds: number;
  /**
   * The weights at the end, measured on the plan's first part; their moving average where the plan keeps one. Null if the run
   * was interrupted before they were measured.
   */
  readonly final: EvaluationResult | null;
  /** The best evaluation of the plan's first part; null before the first. */
  readonly best: Progress["best"];
  /** All variables at the end. */
  readonly variables: Readonly<Record<string, Tensor>>;
  /** All variables at the best evaluation, if that was in this call: those before a resume are in a checkpoint. */
  readonly bestVariables?: Readonly<Record<string, Tensor>>;
}

/**
 * Trains a network by a plan, and reports what happens as events.
 *
 * Which evaluation is best, and when to stop early, is decided by the plan's first part: by top-1 accuracy (loss where accuracy
 * is equal), or by the loss if early stopping says so; of the averaged weights where the plan keeps an average. Everything of
 * a step (report, evaluation, probes) happens before its checkpoint, so that a run that goes on from one repeats nothing and
 * leaves nothing out. Only the last batches, one copy of the variables and one of the best are held in memory.
 *
 * @throws RuntimeFailure if the loss is not finite. Whatever fails in a step or in reading the data, a checkpoint of the last
 *   good state is saved first.
 * @throws OptionError if an option is out of range, or the checkpoint is not one of this plan.
 * @example
 * const plan = planTraining(recipe, data);
 * const { final } = await fit(plan, {
 *   runtime: await nodeRuntime(),
 *   onEvent: (event) => {
 *     if (event.type === "evaluation") console.log(event.epoch, event.split, event.top1);
 *   },
 * });
 */
export async function fit(plan: TrainingPlan, options: FitOptions): Promise<FitResult> {
  const { runtime, resume, loop = false } = options;
  assertOptions(plan, options);
  const started = performance.now();
  const plateau = plan.plateau && new Plateau(plan.plateau, resume?.progress.plateau);
  const running = plateau ? slowed(plan, plateau) : plan;
  const variables = resume?.variables ?? plan.initialVariables;
  const training = await compile(running.step, { runtime, seed: plan.seed, loop, variables });
  try {
    const evaluation = await compileEvaluation(plan.evaluation, { runtime });
    const run = new TrainingRun({ plan: running, options, training, evaluation, plateau, started });
    try {
      return await run.run(performance.now() - started);
    } finally {
      await run.release();
    }
  } finally {
    await training.release();
  }
}

/** The plan at the rates of this run: whoever asks for a learning rate gets the one that has fallen. */
function slowed(plan: TrainingPlan, plateau: Plateau): TrainingPlan {
  return { ...plan, step: { ...plan.step, learningRate: plateau.slowing(plan.step.learningRate) } };
}

function assertOptions(plan: TrainingPlan, options: FitOptions): void {
  const { resume, checkpointEverySeconds, timeBudgetSeconds, reportEverySteps, probes = {} } = options;
  const numbers: readonly (readonly [string, number | undefined])[] = [
    ["checkpointEverySeconds", checkpointEverySeconds],
    ["timeBudgetSeconds", timeBudgetSeconds],
  ];
  for (const [name, value] of numbers) {
    if (value !== undefined && !(value >= 0)) {
      throw new OptionError(`fit: ${name} must be a number of at least 0, got ${value}.`);
    }
  }
  if (reportEverySteps !== undefined) assertWhole("reportEverySteps", reportEverySteps);
  for (const [name, { every }] of Object.entries(probes)) {
    if ("steps" in every) assertWhole(`every.steps of probe "${name}"`, every.steps);
    else if ("epochs" in every && !(every.epochs > 0)) {
      throw new OptionError(`fit: every.epochs of probe "${name}" must be above 0, got ${every.epochs}.`);
    }
  }
  if (!resume) return;
  const { progress, variables } = resume;
  const step = variables.step && toNumbers(variables.step)[0];
  if (step !== progress.step || progress.step > plan.totalSteps) {
    throw new OptionError(
      `fit: a checkpoint's progress must be that of its variables and within the plan's ${plan.totalSteps} steps, ` +
        `got step ${progress.step} with variables of step ${step}. Is it another run's?`,
    );
  }
}

function assertWhole(name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1) return;
  throw new OptionError(`fit: ${name} must be a whole number of at least 1, got ${value}.`);
}
