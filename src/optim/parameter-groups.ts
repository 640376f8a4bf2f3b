/** Parameter groups: settings that differ from parameter to parameter. */
import type { Optimizer, OptimizerContext, ParameterGradient } from "../build/index.ts";
import { OptionError } from "../errors.ts";
import type { Value } from "../program/index.ts";

/** Parameters with settings of their own. A parameter belongs to the first group that matches its path. */
export interface ParameterGroup {
  /** Whether the parameter at this path, such as `encoder.0.weight`, belongs to the group. */
  readonly match: (path: string) => boolean;
  /** What the learning rate is multiplied by. Default 1. */
  readonly learningRateFactor?: number;
  /** Default: the optimizer's. */
  readonly weightDecay?: number;
  /** Whether the parameters stay as they are; no gradient is computed for them. Default false. */
  readonly frozen?: boolean;
  /** Whether it is no mistake if there is no such parameter. Default false. */
  readonly optional?: boolean;
}

/** What all optimizers have in common. */
export interface OptimizerOptions {
  /** One for all steps, or a schedule. */
  readonly learningRate: Optimizer["learningRate"];
  /** Settings that differ from parameter to parameter. */
  readonly groups?: readonly ParameterGroup[];
}

/** A parameter with its gradient and the settings of its group. */
export interface GroupedGradient extends ParameterGradient {
  /** Scalar. */
  readonly learningRate: Value;
  readonly weightDecay: number;
}

/**
 * Returns every parameter with its gradient and settings.
 *
 * @throws OptionError if a group that is not optional matches nothing: its settings would be ignored.
 */
export function groupedGradients(
  context: OptimizerContext,
  weightDecay: number,
  groups: readonly ParameterGroup[] = [],
): GroupedGradient[] {
  const trained = groups.filter(({ frozen, optional }) => !frozen && !optional);
  const matched = new Set<ParameterGroup>();
  const rates = new Map<number, Value>([[1, context.learningRate]]);
  const rateOf = (factor: number): Value => {
    const rate = rates.get(factor) ?? context.ops.mul(context.learningRate, factor);
    rates.set(factor, rate);
    return rate;
  };
  const grouped = context.gradients().map(({ parameter, gradient }) => {
    const group = groups.find(({ match }) => match(parameter.path));
    if (group) matched.add(group);
    const learningRate = rateOf(group?.learningRateFactor ?? 1);
    return { parameter, gradient, learningRate, weightDecay: group?.weightDecay ?? weightDecay };
  });
  const idle = trained.find((group) => !matched.has(group));
  if (idle) {
    throw new OptionError(
      `optimizer: every parameter group must match a parameter, got none for groups[${groups.indexOf(idle)}]. ` +
        `Parameters: ${context.parameters.map(({ path }) => path).join(", ")}.`,
    );
  }
  return grouped;
}

/** Returns which parameters the groups leave to be trained; nothing if they freeze none. */
export function trainedBy(groups: readonly ParameterGroup[] = []): Pick<Optimizer, "trains"> {
  if (!groups.some(({ frozen }) => frozen)) return {};
  return { trains: (path) => !groups.find(({ match }) => match(path))?.frozen };
}

/** @throws OptionError unless the number is at least 0, and below `below` if that is given. */
export function assertRange(
  optimizer: string,
  option: string,
  number: number,
  below: number = Number.POSITIVE_INFINITY,
): void {
  if (number >= 0 && number < below) return;
  const range = Number.isFinite(below) ? `at least 0 and less than ${below}` : "a number of at least 0";
  throw new OptionError(`${optimizer}: ${option} must be ${range}, got ${number}.`);
}
