/** Writing nodes one after another, as passes and lowerings do. */
import type { DType, Tensor } from "../tensor/index.ts";
import { constantValue } from "./edit.ts";
import { Node, type NodeOptions } from "./node.ts";
import { type Shape, Value } from "./value.ts";

/** What an emitted node's single output is like. */
export interface EmitOptions extends NodeOptions {
  /** Name of the output value; made from the operator when absent. */
  readonly output?: string;
  readonly dtype?: DType;
  readonly shape?: Shape | undefined;
}

/**
 * Collects nodes in execution order, and shares equal small constants.
 *
 * @example
 * const emitter = new Emitter();
 * const y = emitter.emit("Relu", [x], { output: "y" });
 * graph.nodes.push(...emitter.nodes);
 */
export class Emitter {
  readonly nodes: Node[] = [];
  readonly #constants = new Map<string, Value>();
  #made = 0;

  /** Appends a node with one output, and returns that output. Nodes have no name unless given one: ONNX Runtime wants those unique. */
  emit(operator: string, inputs: readonly (Value | undefined)[], options: EmitOptions = {}): Value {
    const output = new Value(options.output ?? `${operator}_${this.#made++}`, options.dtype, options.shape);
    this.nodes.push(new Node(operator, inputs, [output], options));
    return output;
  }

  /** Appends a node made elsewhere. */
  append(node: Node): void {
    this.nodes.push(node);
  }

  /** Returns a constant value; equal tensors of up to 4096 bytes are made once. */
  constant(name: string, tensor: Tensor): Value {
    if (tensor.data.length > 4096 || Array.isArray(tensor.data)) return constantValue(name, tensor);
    const key = `${tensor.dtype}[${tensor.shape.join()}]${tensor.data.join()}`;
    const known = this.#constants.get(key);
    if (known) return known;
    const made = constantValue(name, tensor);
    this.#constants.set(key, made);
    return made;
  }
}
