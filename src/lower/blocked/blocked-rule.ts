/** The contract of a rule for blocked layout: how a node is computed on channels in blocks. */
import type { Ops } from "../../build/index.ts";
import type { Node, Value } from "../../program/index.ts";

/** What a rule may ask for and write with. */
export interface BlockedContext {
  readonly node: Node;
  /** Writes nodes for the layer the node belongs to. */
  readonly ops: Ops;
  /** Channels in one block. */
  readonly block: number;
  /** Whether a value is laid out in blocks. */
  isBlocked(value: Value | undefined): boolean;
  /** Whether a value could be: four axes, channels a multiple of the block. */
  canBlock(value: Value | undefined): boolean;
  /** Returns the value in blocks. */
  blocked(value: Value): Value;
  /** Returns the value in plain layout. */
  plain(value: Value): Value;
  /** Says that a value is laid out in blocks, and returns it. */
  mark(value: Value): Value;
  /** Whether one node only reads the value: what computes it may then be fused with that node. */
  isReadOnce(value: Value): boolean;
  /** Whether nodes of these operators only read the value. */
  isReadOnlyBy(value: Value, operators: readonly string[]): boolean;
  /** Whether some reader of the node's output also reads a blocked value of its shape. */
  meetsBlocked(): boolean;
}

/** Returns the node's outputs, marked where they are blocked; undefined leaves the node in plain layout. */
export type BlockedRule = (context: BlockedContext) => readonly (Value | undefined)[] | undefined;
