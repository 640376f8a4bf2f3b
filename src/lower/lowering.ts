/** The contract of a lowering: how one operator is computed on a device. */
import type { Ops } from "../build/index.ts";
import type { Node, Value } from "../program/index.ts";
import type { Device } from "../runtime/index.ts";
import type { LoweringTable } from "./forms/lowering-table.ts";

/** What a lowering may depend on besides the node and its shapes. */
export interface LoweringTarget {
  readonly device: Device;
  /** Channels in one block of the fastest convolutions, where the runtime has such. Default: the plain layout. See loweringTarget. */
  readonly channelBlock?: number;
  /** Whether products of bytes are right and faster than float ones. Default: they are computed in float. See loweringTarget. */
  readonly hasIntegerProducts?: boolean;
  /** Which forms are fastest. Default: as measured by us. See tuneLowering. */
  readonly table?: LoweringTable;
}

/**
 * Writes what the node computes with other operators, and returns its outputs; undefined leaves the node as it is. The node's
 * inputs are values of the new graph already.
 */
export type Lowering = (node: Node, ops: Ops, target: LoweringTarget) => readonly (Value | undefined)[] | undefined;
