/** Learning rates that fall when evaluations get no better. */
import type { Schedule } from "../build/index.ts";
import type { EvaluationResult } from "./run-event.ts";

/** When a learning rate falls. */
export interface PlateauOptions {
  /** Evaluations in a row that are no better than the best, after which it falls. */
  readonly patience: number;
  /** What the learning rate is multiplied by each time. */
  readonly factor: number;
  /** What must get better. */
  readonly metric: "top1" | "loss";
}

/** What is remembered between evaluations. All of it is JSON. */
export interface PlateauState {
  /** The best value of the metric so far; null before the first evaluation. */
  readonly best: number | null;
  /** Evaluations since the best, or since the last fall. */
  readonly waited: number;
  readonly falls: number;
}

/**
 * The learning rate of a run that falls on plateaus: ReduceLROnPlateau with threshold 0, whose `patience` is one less.
 *
 * Arguments against it are in "Train longer, generalize better", arXiv:1705.08741, section 6: weights travel on while the
 * validation error stands still.
 */
export class Plateau {
  readonly #options: PlateauOptions;
  #state: PlateauState;

  constructor(options: PlateauOptions, state: PlateauState = { best: null, waited: 0, falls: 0 }) {
    this.#options = options;
    this.#state = state;
  }

  get state(): PlateauState {
    return this.#state;
  }

  /** Returns a schedule that falls by what has been observed when it is asked. */
  slowing(learningRate: number | Schedule): Schedule {
    return (step) =>
      (typeof learningRate === "number" ? learningRate : learningRate(step)) *
      this.#options.factor ** this.#state.falls;
  }

  /** Takes notice of an evaluation; one whose loss is not finite is no better than any. */
  observe({ top1, loss }: Pick<EvaluationResult, "top1" | "loss">): void {
    const { patience, metric } = this.#options;
    const { best, waited, falls } = this.#state;
    const value = metric === "loss" ? loss : top1;
    const isBetter = best === null || (metric === "loss" ? value < best : value > best);
    if (Number.isFinite(loss) && isBetter) this.#state = { best: value, waited: 0, falls };
    else if (waited + 1 < patience) this.#state = { best, waited: waited + 1, falls };
    else this.#state = { best, waited: 0, falls: falls + 1 };
  }
}
