/** Cases of gradients: a few nodes, the numbers they run on, and how the inputs are drawn. */
import type { Ops } from "../../src/build/index.ts";
import type { Value } from "../../src/program/index.ts";
import { elementCount, type Random, Tensor } from "../../src/tensor/index.ts";

/** Draws an operand; all of a case come from one generator, in their order. */
export type Draw = (random: Random) => Tensor;

/**
 * A small program and what its gradient is checked against.
 *
 * @example
 * { title: "Tanh", covers: ["Tanh"], inputs: [normal([2, 3])], build: (ops, x) => ops.tanh(x), second: true }
 */
export interface GradientCase {
  /** A sentence about what is special; unique. */
  readonly title: string;
  /** Operators whose rule is checked, as the rules are registered: "Conv", "com.microsoft:Gelu". */
  readonly covers: readonly string[];
  /**
   * Operands: numbers, or how they are drawn. Floats are written as float64 and converted for runs in float32; keep every one
   * at least 0.01 away from kinks and jumps of the operator (`apart`, `distinct`), and all of one size. At most 60 elements.
   */
  readonly inputs: readonly (Tensor | Draw)[];
  /** Writes the program. Constants must take an operand's element type (`x.dtype`): cases run in float64 and in float32. */
  readonly build: (ops: Ops, ...inputs: Value[]) => Value | readonly Value[];
  /** Indices of the inputs to differentiate with respect to. Default: all floats. */
  readonly wrt?: readonly number[];
  /** Greatest relative difference from central differences; see `DEFAULT_TOLERANCE`. Say why where you set it. */
  readonly tolerance?: number;
  /** Whether the gradient's own gradient is checked too. Default false. */
  readonly second?: boolean;
  /** The gradients in numbers, one list per input of `wrt`, where they are known by hand: for a loss that sums all outputs. */
  readonly closedForm?: (...inputs: readonly Float64Array[]) => readonly ArrayLike<number>[];
  /** Version of ONNX's operator set; default 21. */
  readonly opset?: number;
  /** Devices on which the case's gradient cannot run, with the reason. */
  readonly skip?: Readonly<Partial<Record<"cpu" | "wasm" | "webgpu", string>>>;
}

/** Normal numbers. */
export function normal(shape: readonly number[], scale = 1): Draw {
  return (random) => float64(shape, () => random.normal() * scale);
}

/** Numbers uniform in [low, high). */
export function uniform(shape: readonly number[], low: number, high: number): Draw {
  return (random) => float64(shape, () => low + (high - low) * random.uniform());
}

/** Numbers uniform in [-2, 2) that keep a distance of 0.1 from each of `kinks`. */
export function apart(shape: readonly number[], kinks: readonly number[] = [0]): Draw {
  return (random) =>
    float64(shape, () => {
      for (;;) {
        const x = 4 * random.uniform() - 2;
        if (kinks.every((kink) => Math.abs(x - kink) >= 0.1)) return x;
      }
    });
}

/** Numbers in (-1, 1) in random order, each at least 2 / elements - 10% away from all others: no ties. */
export function distinct(shape: readonly number[]): Draw {
  return (random) => {
    const count = elementCount(shape);
    const values = Array.from(
      { length: count },
      (_, i) => (2 * (i + 0.5 + 0.1 * (random.uniform() - 0.5))) / count - 1,
    );
    for (let i = count - 1; i > 0; i--) {
      const j = random.integer(i + 1);
      [values[i], values[j]] = [values[j]!, values[i]!];
    }
    return new Tensor("float64", shape, Float64Array.from(values));
  };
}

/** The given numbers. */
export function numbers(shape: readonly number[], values: readonly number[]): Tensor {
  return new Tensor("float64", shape, Float64Array.from(values));
}

/** The given booleans, as 0 and 1. */
export function booleans(shape: readonly number[], values: readonly number[]): Tensor {
  return new Tensor("bool", shape, Uint8Array.from(values));
}

function float64(shape: readonly number[], next: () => number): Tensor {
  return new Tensor("float64", shape, Float64Array.from({ length: elementCount(shape) }, next));
}
