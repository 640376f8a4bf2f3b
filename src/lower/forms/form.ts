/** The contract of a form: one of several ways to compute an operator, of which the fastest for its shapes is chosen. */
import type { Ops } from "../../build/index.ts";
import type { Node } from "../../program/index.ts";
import type { Lowering } from "../lowering.ts";

/** What the speed of a convolution's gradient depends on. */
export interface ConvolutionShape {
  /** Length of the batch. */
  readonly examples: number;
  /** Channels of the convolution's input and of its result. */
  readonly inputs: number;
  readonly outputs: number;
  /** Height and width of the convolution's input, or its length. */
  readonly lengths: readonly number[];
  readonly kernel: readonly number[];
  /** The same along all axes. */
  readonly stride: number;
  readonly group: number;
}

/** An operator with several forms. */
export interface Alternatives {
  /** As in the tables of lowerings: `modicum:ConvInputGradient`. */
  readonly operator: string;
  /** By name; a form that cannot compute a node returns undefined. The last one can compute all. */
  readonly forms: Readonly<Record<string, Lowering>>;
  /** Returns what the choice depends on. */
  shapeOf(node: Node, ops: Ops): ConvolutionShape;
  /** Writes the operator for a shape, for measuring; padding keeps lengths at stride 1. */
  write(ops: Ops, shape: ConvolutionShape): void;
}
