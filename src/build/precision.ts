/** The contract of a precision: how the products of a network are computed, decided apart from its layers. */
import type { Node, Value } from "../program/index.ts";
import type { Ops } from "./ops.ts";
import type { RandomValues } from "./random-values.ts";
import type { VariableSource } from "./variable.ts";

/**
 * What a rounded tensor is to its layer. `weightGradient`: the copy of the gradient that weights get theirs from, where that has
 * codes of its own.
 */
export type RoundedRole = "weight" | "activation" | "gradient" | "weightGradient";

/** A tensor that a precision rounded: for those who look at what rounding does. */
export interface RoundedTensor {
  /** The layer's; a second tensor of the same role has a number behind its layer's path. */
  readonly path: string;
  readonly role: RoundedRole;
  readonly exact: Value;
  /** Shaped as `exact`. */
  readonly rounded: Value;
  readonly bits: number;
  readonly rounding: "nearest" | "stochastic";
  /** Numbers beyond these are clipped, scalars or shaped to broadcast; absent where every number has codes around it. */
  readonly limits?: { readonly low: Value; readonly high: Value } | undefined;
}

/** Writes what is to be known of a rounded tensor, beside it, and returns it by name: further metrics of the step. */
export type ObserveRounding = (ops: Ops, tensor: RoundedTensor) => Readonly<Record<string, Value>>;

/** A network that was just written, and what a precision may write beside it. */
export interface PrecisionContext {
  /** Writes into the network's graph. Its nodes from `from` on are the network's, in order; what they compute keeps its Values. */
  readonly ops: Ops;
  readonly from: number;
  readonly variables: VariableSource;
  /** Whether a value is one of the network's parameters. */
  readonly isParameter: (value: Value) => boolean;
  /** Whether the network is trained, or in use. */
  readonly training: boolean;
  /** Random numbers that differ from step to step; absent in use. */
  readonly random?: RandomValues | undefined;
  /** Called with every tensor that is rounded; those of gradients when the network is differentiated. */
  readonly onRounded?: ((ops: Ops, tensor: RoundedTensor) => void) | undefined;
}

/** What became of the products of a network. */
export interface PrecisionReport {
  /** Nodes whose operands are quantized. */
  readonly quantized: readonly Node[];
  /** Nodes with weights that stay in float: they were left out, or have no quantized form. */
  readonly float: readonly Node[];
}

/** A precision of a network: given to `trainStep`, `evaluation` and `exportOnnx` alike. */
export interface Precision {
  /** Changes the network's nodes in place. */
  apply(context: PrecisionContext): PrecisionReport;
}
