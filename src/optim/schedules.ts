/** Learning rates that change from step to step. Steps count from 0; those of torch.optim.lr_scheduler are epochs there. */
import type { Schedule } from "../build/index.ts";
import { OptionError } from "../errors.ts";

/**
 * The same learning rate in all steps.
 *
 * @example
 * optim.warmup(100, optim.constant(0.1));
 */
export function constant(learningRate: number): Schedule {
  return () => learningRate;
}

/** How a learning rate falls in equal intervals. */
export interface StepDecayOptions {
  readonly learningRate: number;
  /** Steps between falls. */
  readonly every: number;
  /** What the learning rate is multiplied by. Default 0.1. */
  readonly factor?: number;
}

/**
 * Multiplies the learning rate by a factor every so many steps: StepLR.
 *
 * @throws OptionError if `every` is not a positive whole number.
 * @example
 * optim.stepDecay({ learningRate: 0.1, every: 3000 });
 */
export function stepDecay({ learningRate, every, factor = 0.1 }: StepDecayOptions): Schedule {
  assertSteps("stepDecay: every", every);
  return (step) => learningRate * factor ** Math.floor(step / every);
}

/** How a learning rate falls at given steps. */
export interface MultiStepDecayOptions {
  readonly learningRate: number;
  /** Steps in which it falls. */
  readonly milestones: readonly number[];
  /** What the learning rate is multiplied by. Default 0.1. */
  readonly factor?: number;
}

/**
 * Multiplies the learning rate by a factor at each milestone: MultiStepLR.
 *
 * @example
 * optim.multiStepDecay({ learningRate: 0.1, milestones: [8000, 12_000] });
 */
export function multiStepDecay({ learningRate, milestones, factor = 0.1 }: MultiStepDecayOptions): Schedule {
  return (step) => learningRate * factor ** milestones.filter((milestone) => milestone <= step).length;
}

/** How a learning rate falls along half a cosine. */
export interface CosineOptions {
  readonly learningRate: number;
  /** Steps until the minimum. */
  readonly steps: number;
  /** Default 0. */
  readonly minimum?: number;
}

/**
 * minimum + (learningRate - minimum) (1 + cos(pi step / steps)) / 2, then the minimum: CosineAnnealingLR, which would rise again.
 *
 * @throws OptionError if `steps` is not a positive whole number.
 * @see Loshchilov, Hutter 2016, "SGDR", arXiv:1608.03983
 * @example
 * optim.cosine({ learningRate: 0.1, steps: 10_000 });
 */
export function cosine({ learningRate, steps, minimum = 0 }: CosineOptions): Schedule {
  assertSteps("cosine: steps", steps);
  return (step) => interpolate.cosine(learningRate, minimum, Math.min(step / steps, 1));
}

/** How a learning rate falls along half a cosine again and again. */
export interface CosineRestartsOptions {
  readonly learningRate: number;
  /** Steps until the first restart. */
  readonly steps: number;
  /** How many times longer each period is than the one before: a whole number. Default 1. */
  readonly growth?: number;
  /** Default 0. */
  readonly minimum?: number;
}

/**
 * Half a cosine from the learning rate towards the minimum, over and over: CosineAnnealingWarmRestarts.
 *
 * @throws OptionError if `steps` or `growth` is not a positive whole number.
 * @see Loshchilov, Hutter 2016, "SGDR", arXiv:1608.03983
 * @example
 * optim.cosineRestarts({ learningRate: 0.1, steps: 1000, growth: 2 });
 */
export function cosineRestarts({ learningRate, steps, growth = 1, minimum = 0 }: CosineRestartsOptions): Schedule {
  assertSteps("cosineRestarts: steps", steps);
  assertSteps("cosineRestarts: growth", growth);
  return (step) => {
    if (growth === 1) return interpolate.cosine(learningRate, minimum, (step % steps) / steps);
    let period = steps;
    let since = step;
    while (since >= period) {
      since -= period;
      period *= growth;
    }
    return interpolate.cosine(learningRate, minimum, since / period);
  };
}

/** How a learning rate rises and falls once. */
export interface OneCycleOptions {
  /** The largest learning rate. */
  readonly maximum: number;
  /** Steps of the whole cycle. */
  readonly steps: number;
  /** Share of the steps in which it rises. Default 0.3. */
  readonly riseFraction?: number;
  /** The first learning rate is the maximum divided by this. Default 25. */
  readonly startDivisor?: number;
  /** The last learning rate is the first divided by this. Default 1e4. */
  readonly endDivisor?: number;
  /** Default "cosine". */
  readonly shape?: "cosine" | "linear";
  /** Whether it falls to the first learning rate as fast as it rose, and only then to the last. Default false. */
  readonly threePhase?: boolean;
}

/**
 * From maximum / startDivisor up to the maximum, down to maximum / startDivisor / endDivisor, and there it stays: OneCycleLR,
 * but for the momentum, which does not change here.
 *
 * @throws OptionError if a number is out of range.
 * @see Smith, Topin 2017, "Super-Convergence", arXiv:1708.07120
 * @example
 * optim.oneCycle({ maximum: 0.4, steps: 5000 });
 */
export function oneCycle(options: OneCycleOptions): Schedule {
  const { maximum, steps, riseFraction = 0.3, startDivisor = 25, endDivisor = 1e4 } = options;
  assertSteps("oneCycle: steps", steps);
  if (!(riseFraction >= 0 && riseFraction <= 1)) {
    throw new OptionError(`oneCycle: riseFraction must be in [0, 1], got ${riseFraction}.`);
  }
  const first = maximum / startDivisor;
  const last = first / endDivisor;
  const rise = { end: riseFraction * steps - 1, from: first, to: maximum };
  const phases = options.threePhase
    ? [rise, { end: 2 * riseFraction * steps - 2, from: maximum, to: first }, { end: steps - 1, from: first, to: last }]
    : [rise, { end: steps - 1, from: maximum, to: last }];
  const curve = interpolate[options.shape ?? "cosine"];
  return (step) => {
    const index = phases.findIndex(({ end }) => step <= end);
    if (index < 0) return last;
    const { end, from, to } = phases[index]!;
    const begin = phases[index - 1]?.end ?? 0;
    return end === begin ? to : curve(from, to, (step - begin) / (end - begin));
  };
}

/** How a learning rate falls to 0. */
export interface PolynomialOptions {
  readonly learningRate: number;
  /** Steps until 0. */
  readonly steps: number;
  /** Default 1: a straight line. */
  readonly power?: number;
}

/**
 * learningRate (1 - step / steps)^power, then 0: PolynomialLR.
 *
 * @throws OptionError if `steps` is not a positive whole number.
 * @example
 * optim.polynomial({ learningRate: 0.1, steps: 10_000, power: 0.9 });
 */
export function polynomial({ learningRate, steps, power = 1 }: PolynomialOptions): Schedule {
  assertSteps("polynomial: steps", steps);
  return (step) => learningRate * (1 - Math.min(step / steps, 1)) ** power;
}

/** How a learning rate begins. */
export interface WarmupOptions {
  /** What the first learning rate is multiplied by. Default 1 / 3. */
  readonly startFactor?: number;
}

/**
 * Rises in a straight line to the schedule's first learning rate, then follows the schedule from its beginning: LinearLR, and
 * the other after it in a SequentialLR.
 *
 * @throws OptionError if `steps` is not a positive whole number.
 * @see Goyal et al. 2017, "Accurate, Large Minibatch SGD", arXiv:1706.02677
 * @example
 * optim.warmup(500, optim.cosine({ learningRate: 0.1, steps: 9500 }));
 */
export function warmup(steps: number, schedule: Schedule, { startFactor = 1 / 3 }: WarmupOptions = {}): Schedule {
  assertSteps("warmup: steps", steps);
  return (step) =>
    step < steps ? schedule(0) * interpolate.linear(startFactor, 1, step / steps) : schedule(step - steps);
}

/** Ways from one number to another, by the share of the way. */
const interpolate = {
  linear: (from: number, to: number, share: number): number => from + (to - from) * share,
  cosine: (from: number, to: number, share: number): number => to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2,
};

function assertSteps(what: string, steps: number): void {
  if (Number.isInteger(steps) && steps >= 1) return;
  throw new OptionError(`${what} must be a whole number of at least 1, got ${steps}.`);
}
