/** The contract of a gradient rule: how gradients pass one node from its outputs to its inputs. */
import type { Node, Value } from "../program/index.ts";
import type { Ops } from "./ops.ts";

/** What a rule may look at and write with. */
export interface GradientContext {
  /** The node to pass. Its inputs and outputs are Values of the same graph: use them freely. */
  readonly node: Node;
  /** Writes the gradient's nodes, for the layer the node belongs to. */
  readonly ops: Ops;
  /** The gradient of the scalar being differentiated with respect to output `index`; undefined when it is zero everywhere. */
  gradient(index: number): Value | undefined;
  /** The gradient with respect to the first output. Throws an internal error when there is none: rules of nodes with several
   * outputs must use `gradient(index)`. */
  readonly dy: Value;
  /** Whether anybody wants the gradient with respect to input `index`; a rule may leave out all others. */
  needs(index: number): boolean;
  /**
   * Differentiates values written earlier in the same graph: for rules that write an operator as simpler ones and
   * differentiate those. Inputs count as independent of each other even where one is computed from another, as keys from
   * queries: a rule gives partial derivatives. Returns undefined for inputs that no output depends on, and for an input given
   * once more.
   */
  differentiate(
    outputs: readonly Value[],
    outputGradients: readonly (Value | undefined)[],
    inputs: readonly Value[],
  ): (Value | undefined)[];
}

/**
 * Returns the gradients with respect to the node's inputs, in their order; undefined (or a shorter list) for inputs that
 * have none: integers, conditions, shapes, and those nobody needs. Each has the shape and element type of its input.
 */
export type GradientRule = (context: GradientContext) => readonly (Value | undefined)[];
