/** Output channels of weights: what probes of norms and directions go through. */
import { type Tensor, toNumbers } from "../../tensor/index.ts";
import type { TrainingPlan } from "../training-plan.ts";

/** Whether a probe looks at the parameter at this path. Default: every parameter with two or more axes. */
export type ParameterMatch = (path: string) => boolean;

/** Returns the paths of the parameters that match: those with output channels of several numbers. */
export function weightPaths({ step }: TrainingPlan, match: ParameterMatch = () => true): string[] {
  return step.variables
    .filter(({ role, shape, path }) => role === "parameter" && shape.length >= 2 && match(path))
    .map(({ path }) => path);
}

/** Returns the Euclidean norm of each output channel (first axis). */
export function normsOfChannels(w: Tensor): number[] {
  return channelsOf(w).map((channel) => Math.hypot(...channel));
}

/**
 * Returns the angles by which the directions of the output channels differ, in radians. Channels of zeros are left out.
 *
 * By the distance of unit vectors: the cosine of a small angle is 1 in float32.
 */
export function anglesOfChannels(before: Tensor, after: Tensor): number[] {
  const to = channelsOf(after);
  return channelsOf(before).flatMap((from, c) => {
    const [first, second] = [Math.hypot(...from), Math.hypot(...to[c]!)];
    if (first === 0 || second === 0) return [];
    let squares = 0;
    for (let i = 0; i < from.length; i++) squares += (from[i]! / first - to[c]![i]! / second) ** 2;
    return [2 * Math.asin(Math.min(1, Math.sqrt(squares) / 2))];
  });
}

function channelsOf(w: Tensor): number[][] {
  const numbers = toNumbers(w);
  const count = w.shape[0]!;
  const length = numbers.length / count;
  return Array.from({ length: count }, (_, c) => Array.from(numbers.subarray(c * length, (c + 1) * length)));
}
