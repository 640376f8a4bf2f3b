/** The contract of a decomposition: an operator as simpler ones. */
import type { Node, Value } from "../../program/index.ts";
import type { Ops } from "../ops.ts";

/**
 * Writes what a node computes with simpler operators, and returns a value for each of its outputs; undefined for those the
 * node does not have. All shapes must be known.
 *
 * @throws UnsupportedError naming the node for forms that are not covered.
 */
export type Decomposition = (node: Node, ops: Ops) => readonly (Value | undefined)[];
