/** What layers ask of their inputs, and how their messages begin. */
import type { Scope } from "../build/index.ts";
import { OptionError, ShapeError } from "../errors.ts";
import type { Dimension, Value } from "../program/index.ts";

/** How messages call a layer: `conv (encoder.stem)`. */
export function layerLabel(layer: string, scope: Scope): string {
  return scope.path ? `${layer} (${scope.path})` : layer;
}

/**
 * Checks that a value has one axis for each of `axes`, which name what they hold.
 *
 * @throws ShapeError otherwise, or if the rank is unknown.
 */
export function assertRank(x: Value, axes: readonly string[], label: string): void {
  if (x.shape?.length === axes.length) return;
  const remedy =
    x.shape?.length === axes.length - 1 && axes[0] === "batch"
      ? ` Add the batch axis with reshape.`
      : ` Give it that many axes with reshape.`;
  throw new ShapeError(
    `${label}: input must have rank ${axes.length} [${axes.join(", ")}], got ${shownShape(x)}.${remedy}`,
  );
}

/**
 * Checks that a value has at least `least` axes; `axes` says which.
 *
 * @throws ShapeError otherwise, or if the rank is unknown.
 */
export function assertLeastRank(x: Value, least: number, axes: string, label: string): void {
  if (x.shape !== undefined && x.shape.length >= least) return;
  throw new ShapeError(
    `${label}: input must have rank ${least} or more ${axes}, got ${shownShape(x)}. Give it more axes with reshape.`,
  );
}

/**
 * Returns the length of an axis that a layer must know, counted from the end when negative; `role` says what the axis holds.
 *
 * @throws ShapeError if the length is not known when the program is built.
 */
export function knownLength(x: Value, axis: number, role: string, label: string): number {
  const length = x.shape?.at(axis);
  if (typeof length === "number") return length;
  throw new ShapeError(
    `${label}: the number of ${role} must be known when the program is built, got ${shownShape(x)}. ` +
      "Give the input a fixed length there.",
  );
}

/** Checks that an option is a whole number of at least 1. @throws OptionError otherwise. */
export function assertCount(count: number, option: string, layer: string): void {
  if (Number.isInteger(count) && count >= 1) return;
  throw new OptionError(`${layer}: ${option} must be a whole number of at least 1, got ${count}.`);
}

/** A value's shape as messages show it: `[8, 28, 28]`. */
export function shownShape({ shape }: Value): string {
  return shape ? `[${shape.map((length: Dimension) => length ?? "?").join(", ")}]` : "an unknown rank";
}
