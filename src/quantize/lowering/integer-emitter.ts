/** Emitting integer operators: keeps each value as codes, as floats, or both, and converts only where somebody asks. */
import { Emitter, type Node, Value } from "../../program/index.ts";
import type { ActivationGrid } from "../grid.ts";
import { emitDequantized, emitQuantized, scaleConstant, zeroPointConstant } from "../grid-tensors.ts";
import type { LoweredProgram, LoweredValue, QuantizationPlan } from "./plan.ts";

/**
 * The state of a lowering to integer operators, which rewrites the plan's program in place.
 *
 * A value's float form is the value itself, whether its own node or a DequantizeLinear produces it; its codes are a new
 * value. Nodes are emitted in execution order and become the program's nodes at the end.
 */
export class IntegerEmitter {
  readonly emitter: Emitter = new Emitter();
  readonly plan: QuantizationPlan;
  readonly #codes = new Map<Value, Value>();
  readonly #codesOnly = new Set<Value>();

  constructor(plan: QuantizationPlan) {
    this.plan = plan;
  }

  /** Returns the grid of a quantized activation, or undefined for one that stays in float. */
  grid(value: Value): ActivationGrid | undefined {
    return this.plan.grids.get(value);
  }

  /** Returns what the codes of a layer or a sum stand for, given its own output; undefined if it stays in float. */
  stored(output: Value): Value | undefined {
    const value = this.plan.activations.stored.get(output);
    return value && this.grid(value) ? value : undefined;
  }

  /** Returns whether a value exists as codes already, so that reading them costs nothing. */
  hasCodes(value: Value): boolean {
    return this.#codes.has(value);
  }

  /** Returns a value as floats, dequantizing its codes if that is all there is. */
  float(value: Value): Value {
    if (!this.#codesOnly.delete(value)) return value;
    emitDequantized(this.emitter, this.#codes.get(value)!, this.#gridOf(value), value);
    return value;
  }

  /** Returns a value as codes, quantizing its floats if that is all there is. */
  codes(value: Value): Value {
    const known = this.#codes.get(value);
    if (known) return known;
    const codes = emitQuantized(this.emitter, value, this.#gridOf(value), {
      output: `${value.name}_quantized`,
      dtype: "uint8",
      shape: value.shape,
    });
    this.#codes.set(value, codes);
    return codes;
  }

  /** Returns a new value for the codes of a value that is from now on produced as codes. */
  newCodes(value: Value): Value {
    const codes = new Value(`${value.name}_quantized`, "uint8", value.shape);
    this.#codes.set(value, codes);
    this.#codesOnly.add(value);
    return codes;
  }

  /** Returns the scale of a quantized activation as a constant. */
  scale(value: Value): Value {
    return scaleConstant(this.emitter, this.#gridOf(value));
  }

  /** Returns the zero point of a quantized activation as a constant. */
  zeroPoint(value: Value): Value {
    return zeroPointConstant(this.emitter, this.#gridOf(value));
  }

  /** Returns scale and zero point, as operators take them. */
  quantization(value: Value): [Value, Value] {
    return [this.scale(value), this.zeroPoint(value)];
  }

  /** Appends a node as it is, reading and writing floats. */
  keep(node: Node): void {
    for (const value of readBy(node)) this.float(value);
    this.emitter.append(node);
  }

  /** Makes the emitted nodes the program's, and returns where every value went. */
  finish(): LoweredProgram {
    const { program } = this.plan;
    for (const output of program.graph.outputs) this.float(output);
    program.graph.nodes = this.emitter.nodes;
    const values = new Map<Value, LoweredValue>();
    for (const [value, codes] of this.#codes) values.set(value, { value: codes, grid: this.#gridOf(value) });
    return { program, values };
  }

  #gridOf(value: Value): ActivationGrid {
    const grid = this.grid(value);
    if (!grid) throw new Error(`internal: ${value.name} has no grid`);
    return grid;
  }
}

function readBy(node: Node): Value[] {
  const inner = node.subgraphs.flatMap((graph) => [...graph.nodes.flatMap(readBy), ...graph.outputs]);
  return [...node.inputs.filter((input) => input !== undefined), ...inner];
}
