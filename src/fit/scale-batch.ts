/** Recipes for batches of another size: learning rates that go with them, and as many updates as before. */
import { batchCount } from "../data/index.ts";
import { OptionError } from "../errors.ts";
import type { Recipe } from "./recipe.ts";

/** How learning rates change with the batch: with the root of its growth, with its growth, or not at all. */
export type BatchScaling = "sqrt" | "linear" | "none";

/** What a recipe's batch becomes. */
export interface ScaleBatchOptions {
  /** Samples in a step of the new recipe. */
  readonly to: number;
  /** Default "sqrt". */
  readonly rule?: BatchScaling;
}

/** Which run is to have as many updates. */
export interface AdaptRegimeOptions {
  /** Batch size B_S of the run that the recipe's lengths are those of. */
  readonly reference: number;
}

/**
 * Returns a recipe for batches of another size: every learning rate of its schedule is multiplied by sqrt(K) (or K, or 1), with
 * K = B_L / B_S the growth of the batch. Lengths in epochs stay, so that a K times larger batch takes K times fewer updates.
 *
 * A step of a batch of M out of N samples changes weights with covariance eta^2 (1/M - 1/N) S, S that of the samples' gradients:
 * for M << N, eta sqrt(M) keeps it as it is. The linear rule keeps the mean of the path instead, and needs a warm-up.
 *
 * @throws OptionError if the size is not a positive whole number, or not a multiple of `batch.chunks`.
 * @see Hoffer, Hubara, Soudry 2017, "Train longer, generalize better", arXiv:1705.08741, section 4.1; for the linear rule
 *   Goyal et al. 2017, "Accurate, large minibatch SGD", arXiv:1706.02677
 * @example
 * const large = scaleBatch(parseRecipe({ ...recipes.mlp, batch: { size: 64 } }, "recipe"), { to: 4096 });
 */
export function scaleBatch(recipe: Recipe, { to, rule = "sqrt" }: ScaleBatchOptions): Recipe {
  const { batch, learningRate, schedule } = recipe;
  assertSize("scaleBatch: to", to);
  if (to % batch.chunks !== 0) {
    throw new OptionError(`scaleBatch: to must be a multiple of batch.chunks, ${batch.chunks}, got ${to}.`);
  }
  const growth = to / batch.size;
  const factor = { sqrt: Math.sqrt(growth), linear: growth, none: 1 }[rule];
  return {
    ...recipe,
    batch: { ...batch, size: to },
    learningRate: learningRate * factor,
    schedule: schedule.kind === "cosine" ? { ...schedule, minimum: schedule.minimum * factor } : schedule,
  };
}

/**
 * Returns a recipe with as many updates as the one of a smaller batch: epochs, milestones, warm-up and the epochs between
 * evaluations are multiplied by ceil(B_L / B_S). This is regime adaptation: what a large batch lacks is updates.
 *
 * @throws OptionError if the reference is not a positive whole number.
 * @see Hoffer, Hubara, Soudry 2017, "Train longer, generalize better", arXiv:1705.08741, section 5
 * @example
 * const longer = adaptRegime(scaleBatch(recipe, { to: 4096 }), { reference: 64 });
 */
export function adaptRegime(recipe: Recipe, { reference }: AdaptRegimeOptions): Recipe {
  assertSize("adaptRegime: reference", reference);
  const times = Math.ceil(recipe.batch.size / reference);
  const { schedule, evaluation } = recipe;
  return {
    ...recipe,
    epochs: recipe.epochs * times,
    warmup: recipe.warmup * times,
    schedule:
      schedule.kind === "step"
        ? { ...schedule, every: schedule.every * times }
        : schedule.kind === "multi-step"
          ? { ...schedule, milestones: schedule.milestones.map((epoch) => epoch * times) }
          : schedule,
    evaluation: { ...evaluation, every: evaluation.every * times },
  };
}

/** How long a run is. */
export interface RunLength {
  readonly stepsPerEpoch: number;
  /** Updates of the weights in all. */
  readonly totalSteps: number;
}

/**
 * Counts the updates that a recipe makes of so many training samples: batches that are not full are left out.
 *
 * @example
 * const { totalSteps } = countUpdates(recipe, 60_000);
 */
export function countUpdates(recipe: Recipe, samples: number): RunLength {
  const { batch, epochs } = forBatchSize(recipe);
  const stepsPerEpoch = batchCount(samples, batch.size);
  return { stepsPerEpoch, totalSteps: Math.max(1, Math.round(epochs * stepsPerEpoch)) };
}

/** Carries out `batch.reference`, `batch.scaling` and `batch.adaptRegime`, and the default of `gradientNoise.variance`. */
export function forBatchSize(recipe: Recipe): Recipe {
  const { reference, scaling = "sqrt", adaptRegime: adapts, ...batch } = recipe.batch;
  if (reference === undefined) return recipe;
  const small = { ...recipe, batch: { size: reference, chunks: 1 } };
  const scaled = { ...scaleBatch(small, { to: batch.size, rule: scaling }), batch };
  const { gradientNoise } = scaled;
  const noisy = gradientNoise && { gradientNoise: { variance: batch.size / reference - 1, ...gradientNoise } };
  const resolved = { ...scaled, ...noisy };
  return adapts ? adaptRegime(resolved, { reference }) : resolved;
}

function assertSize(where: string, size: number): void {
  if (Number.isInteger(size) && size >= 1) return;
  throw new OptionError(`${where} must be a whole number of at least 1, got ${size}.`);
}
