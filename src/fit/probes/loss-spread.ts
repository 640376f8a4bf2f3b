/** How much the loss differs from place to place at a distance: the random potential that weights walk on. */
import { OptionError } from "../../errors.ts";
import type { Runtime } from "../../runtime/index.ts";
import { seededRandom, type Tensor, tensorOf, toNumbers } from "../../tensor/index.ts";
import type { Probe, ProbeInterval } from "../probe.ts";
import type { Batch, TrainingPlan } from "../training-plan.ts";
import { compileObserver, type Observer } from "./observer.ts";
import { straightLine } from "./straight-line.ts";

/** Where the loss is looked at. */
export interface LossSpreadOptions {
  /** Distances c from the weights, at least two. Default 0.25, 0.5, ..., 16. */
  readonly distances?: readonly number[];
  /** Random directions, the same ones at each distance; at least two. Default 20. */
  readonly directions?: number;
  /** Of the directions. Default 0. */
  readonly seed?: number;
}

/** What `lossSpread` looks at. */
export interface LossSpreadPlace extends LossSpreadOptions {
  readonly runtime: Runtime;
  /** All variables of the plan's step; its parameters are w_0. */
  readonly variables: Readonly<Record<string, Tensor>>;
  readonly batch: Batch;
}

/** The spread of the loss by distance, and the law it follows. */
export interface LossSpread {
  /** Standard deviation of the loss over directions. */
  readonly spread: readonly { readonly distance: number; readonly std: number }[];
  /** E[(L(w_0 + c u) - L(w_0 + c u'))^2] ~ c^alpha: twice the slope of ln std against ln c. */
  readonly alpha: number;
  /** R^2 of that line. */
  readonly r2: number;
}

/** 0.25, 0.5, ..., 16. */
const DISTANCES: readonly number[] = Array.from({ length: 7 }, (_, i) => 2 ** (i - 2));

/**
 * Measures how the spread of the loss over random directions grows with the distance from given weights: std_u L(w_0 + c u), u
 * of unit norm over all trained parameters together.
 *
 * If the loss is a random potential with E[(L(w_1) - L(w_2))^2] ~ ||w_1 - w_2||^alpha, training walks as
 * ||w_t - w_0|| ~ (ln t)^(2/alpha). The published value is alpha = 2. The loss is that of training on the batch: batch norms use the
 * batch's statistics, dropout one fixed mask.
 *
 * @throws OptionError if there are fewer than two distances or directions, or a distance is not positive.
 * @see Hoffer, Hubara, Soudry 2017, "Train longer, generalize better", arXiv:1705.08741, section 3 and appendix A
 * @example
 * const { alpha } = await lossSpread(plan, { runtime, variables: await training.variables(), batch });
 */
export async function lossSpread(plan: TrainingPlan, place: LossSpreadPlace): Promise<LossSpread> {
  assertOptions(place);
  const observer = await compileObserver(plan, place.runtime, () => {});
  try {
    return await measure(observer, place);
  } finally {
    await observer.training.release();
  }
}

/**
 * Returns a probe of the loss's spread around the weights of the time, on the batch of the last step: `alpha`, `r2` and
 * `std.<distance>`. Each measurement takes directions times distances forward passes.
 *
 * @throws OptionError what `lossSpread` throws.
 * @example
 * await fit(plan, { runtime, probes: { potential: lossSpreadProbe({}, { epochs: 10 }) } });
 */
export function lossSpreadProbe(options: LossSpreadOptions = {}, every: ProbeInterval = { epochs: 1 }): Probe {
  assertOptions(options);
  let observer: Observer | undefined;
  return {
    every,
    async measure({ plan, runtime, batch, variables }) {
      observer ??= await compileObserver(plan, runtime, () => {});
      const found = await measure(observer, { ...options, runtime, batch, variables: await variables() });
      const spread = found.spread.map(({ distance, std }) => [`std.${distance}`, std] as const);
      return { alpha: found.alpha, r2: found.r2, ...Object.fromEntries(spread) };
    },
    async release() {
      await observer?.training.release();
      observer = undefined;
    },
  };
}

async function measure(observer: Observer, place: LossSpreadPlace): Promise<LossSpread> {
  const { distances = DISTANCES, directions = 20, seed = 0, variables, batch } = place;
  const { training } = observer;
  const { builder, variables: known } = training.step;
  const trained = known.filter(({ role, path }) => role === "parameter" && (builder.trains?.(path) ?? true));
  const random = seededRandom(seed);
  const losses = distances.map((): number[] => []);
  for (let i = 0; i < directions; i++) {
    const direction = trained.map(({ path }) => toNumbers(variables[path]!).map(() => random.normal()));
    const norm = Math.sqrt(direction.reduce((sum, part) => part.reduce((s, x) => s + x * x, sum), 0));
    for (const [index, distance] of distances.entries()) {
      const moved = trained.map(({ path, dtype, shape }, which) => {
        const from = toNumbers(variables[path]!);
        const numbers = direction[which]!.map((x, k) => from[k]! + (distance * x) / norm);
        return [path, tensorOf(dtype, shape, numbers)] as const;
      });
      await observer.restore({ ...variables, ...Object.fromEntries(moved) });
      losses[index]!.push(toNumbers((await training.run(batch)).loss!)[0]!);
    }
  }
  const spread = distances.map((distance, index) => ({ distance, std: standardDeviation(losses[index]!) }));
  const line = straightLine(
    spread.map(({ distance }) => Math.log(distance)),
    spread.map(({ std }) => Math.log(std)),
  );
  return { spread, alpha: 2 * line.slope, r2: line.r2 };
}

function standardDeviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

function assertOptions({ distances = DISTANCES, directions = 20 }: LossSpreadOptions): void {
  if (new Set(distances).size < 2 || distances.some((distance) => !(distance > 0))) {
    throw new OptionError(
      `lossSpread: distances must be at least two positive numbers, got [${distances.join(", ")}].`,
    );
  }
  if (!Number.isInteger(directions) || directions < 2) {
    throw new OptionError(`lossSpread: directions must be a whole number of at least 2, got ${directions}.`);
  }
}
