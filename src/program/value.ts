/** Values: the symbolic results and inputs that nodes are connected by. They have no numbers, except constants. */
import type { DType } from "../tensor/index.ts";
import type { Constant } from "./constant.ts";
import type { Extras } from "./extras.ts";
import type { Node } from "./node.ts";

/** The length of an axis: a number, a named unknown (`"batch"`), or null when nothing is known. */
export type Dimension = number | string | null;

/** Axis lengths; a Value whose rank is unknown has no Shape at all. */
export type Shape = readonly Dimension[];

/**
 * One edge of a graph: what a node produces, what a graph takes in, or a constant.
 *
 * Exactly one of these holds: `producer` is set (a node's output), `constant` is set (an initializer; it may at the same
 * time be a graph input with a default), or neither (a graph input). Identity matters, names do not: two values may never
 * be confused because they share a name, and renaming a value renames every use. Sub-graphs use outer values directly.
 */
export class Value {
  /** Name in the file; unique within a graph and its sub-graphs, made so when written. */
  name: string;
  /** Element type; undefined when not yet inferred or not a tensor. */
  dtype: DType | undefined;
  /** Shape; undefined when even the rank is unknown. */
  shape: Shape | undefined;
  /** The numbers, when this is an initializer. */
  constant: Constant | undefined;
  /** The node that computes this value; set by Node. */
  producer: Node | undefined;
  /** The file's own type record when it is not a plain tensor (sequence, map, optional, sparse). Opaque outside onnx/. */
  otherType: unknown;
  extras: Extras | undefined;

  constructor(name: string, dtype?: DType, shape?: Shape) {
    this.name = name;
    this.dtype = dtype;
    this.shape = shape;
  }
}

/** Returns the shape as numbers, or undefined if any axis is unknown or symbolic. */
export function staticShape(value: Value): readonly number[] | undefined {
  return value.shape?.every((length) => typeof length === "number") ? (value.shape as readonly number[]) : undefined;
}
