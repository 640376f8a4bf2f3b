/** What a lowering gets and gives: decisions in, a program of quantized operators out. */
import type { Layer } from "../../prepare/index.ts";
import type { Node, Program, Value } from "../../program/index.ts";
import type { ActivationPlan } from "../activation-plan.ts";
import type { ActivationGrid } from "../grid.ts";
import type { QuantizedWeights } from "../quantized-weights.ts";

/** A layer with its quantized weights. */
export interface QuantizedLayer<Weights extends QuantizedWeights = QuantizedWeights> {
  readonly layer: Layer;
  readonly weights: Weights;
  /** Output channels: the length of the bias. */
  readonly channels: number;
  /** Added to the layer's bias, one number per output channel; undefined for none. */
  readonly biasShift: Float64Array | undefined;
  /** Whether the layer's input is quantized too, so that its products can be integer products. */
  readonly integer: boolean;
}

/** Everything decided about a program before it is rewritten. */
export interface QuantizationPlan {
  /** The prepared float program; a lowering rewrites it in place. */
  readonly program: Program;
  /** By node: a recurrent node has two, one for each of its weight tensors. */
  readonly layers: ReadonlyMap<Node, readonly QuantizedLayer[]>;
  readonly activations: ActivationPlan;
  /** Grid of every quantized activation, those that share one included. Empty when activations stay in float. */
  readonly grids: ReadonlyMap<Value, ActivationGrid>;
}

/** Where an activation is after lowering: float numbers, or codes with their grid. */
export interface LoweredValue {
  readonly value: Value;
  readonly grid: ActivationGrid | undefined;
}

/** A rewritten program; `values` has the activations that are no longer where they were. */
export interface LoweredProgram {
  readonly program: Program;
  readonly values: ReadonlyMap<Value, LoweredValue>;
}
