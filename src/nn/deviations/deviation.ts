/** The contract of a deviation: a measure of spread that batch normalization may divide by. */
import type { Value } from "../../program/index.ts";
import type { GhostBatches } from "../ghost-batches.ts";

/** Which constant makes a deviation the standard deviation of normal numbers. See docs/normalization.md. */
export type ConstantKind = "exact" | "reference" | "paper";

/** The numbers a deviation is of: channels in ghost batches, as `GhostBatches` views them, with their means. */
export interface Channels {
  readonly batches: GhostBatches;
  /** A view of the layer's input. */
  readonly x: Value;
  /** [groups, channels] */
  readonly mean: Value;
}

/** How the statistic S of a channel changes with its numbers: dS/dx_i = scale field_i + offset + the weights of peaks at i. */
export interface Derivative {
  /** Shaped as the view of x. */
  readonly field?: { readonly values: Value; readonly scale: number };
  /** [groups, channels] */
  readonly offset?: Value;
  /** Few elements of x, counted through its memory: [groups, k, channels]; weights may broadcast. */
  readonly peaks?: { readonly places: Value; readonly weights: Value };
}

/**
 * A measure of spread. Of the numbers of a channel it computes a statistic S; a constant c and epsilon make that the
 * denominator d.
 *
 * Shapes: S and d [groups, channels].
 */
export interface Deviation {
  /** What messages call it. */
  readonly name: string;
  /** Fewest numbers per channel. */
  readonly least: number;
  /** Parts that each ghost batch must fall into. */
  readonly chunks: number;
  /** Returns c for a channel of n numbers; undefined if there is none of this kind. */
  constant(n: number, kind: ConstantKind): number | undefined;
  /** Returns S. */
  statistic(channels: Channels): Value;
  /** Returns d, which is at least a positive function of epsilon: constant channels become 0, not NaN. */
  denominator(statistic: Value, c: number, epsilon: number, batches: GhostBatches): Value;
  /** Returns dd/dS: a number where it is one. */
  slope(denominator: Value, c: number, batches: GhostBatches): Value | number;
  /** Returns dS/dx. */
  derivative(channels: Channels): Derivative;
}
