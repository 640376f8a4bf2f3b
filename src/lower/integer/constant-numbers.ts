/** Working out float numbers that follow from constants, such as the scales of a trained network's grids. */
import { type Node, staticShape, type Value } from "../../program/index.ts";
import { roundHalfEven, toNumbers } from "../../tensor/index.ts";

/** The numbers of a float32 value. */
export interface FloatNumbers {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

type Unary = (x: number) => number;
type Binary = (x: number, y: number) => number;

const UNARY: Readonly<Record<string, Unary>> = {
  Identity: (x) => x,
  Neg: (x) => -x,
  Abs: Math.abs,
  Sqrt: Math.sqrt,
  Reciprocal: (x) => 1 / x,
  Round: roundHalfEven,
};

const BINARY: Readonly<Record<string, Binary>> = {
  Add: (x, y) => x + y,
  Sub: (x, y) => x - y,
  Mul: (x, y) => x * y,
  Div: (x, y) => x / y,
  Max: Math.max,
  Min: Math.min,
};

/** Of a running result and the next number; sums are formed in float64. */
const REDUCTIONS: Readonly<Record<string, readonly [start: number, step: Binary]>> = {
  ReduceMin: [Number.POSITIVE_INFINITY, Math.min],
  ReduceMax: [Number.NEGATIVE_INFINITY, Math.max],
  ReduceSum: [0, (sum, x) => sum + x],
};

/** Operators that change shapes only. */
const RESHAPES = new Set(["Reshape", "Squeeze", "Unsqueeze", "Flatten"]);

/** Works out values; each result is rounded to float32 as an engine rounds it. */
export class ConstantNumbers {
  readonly #known = new Map<Value, FloatNumbers | undefined>();

  /** Returns the numbers of a float32 value of known shape; undefined where they follow from inputs, or by an operator that is not known here. */
  of(value: Value): FloatNumbers | undefined {
    if (!this.#known.has(value)) this.#known.set(value, this.#find(value));
    return this.#known.get(value);
  }

  #find({ constant, producer, ...value }: Value): FloatNumbers | undefined {
    if (constant) {
      if (constant.dtype !== "float32") return undefined;
      return { shape: constant.shape, data: Float32Array.from(toNumbers(constant.load())) };
    }
    const shape = staticShape(value as Value);
    if (producer?.domain !== "" || value.dtype !== "float32" || !shape) return undefined;
    const x = producer.inputs[0] && this.of(producer.inputs[0]);
    if (!x) return undefined;
    const { operator } = producer;
    if (UNARY[operator]) return { shape, data: x.data.map(UNARY[operator]) };
    if (RESHAPES.has(operator)) return { shape, data: x.data };
    if (REDUCTIONS[operator]) return reduced(x, shape, producer);
    if (operator === "Transpose") return transposed(x, shape, producer.ints("perm"));
    if (operator === "Split") return splitPart(x, producer, value.name);
    const y = producer.inputs[1] && this.of(producer.inputs[1]);
    if (!BINARY[operator] || !y || producer.inputs.length !== 2) return undefined;
    return broadcast(x, y, shape, BINARY[operator]);
  }
}

/** Calls `visit` with each index of a shape, and its place in memory. */
function eachIndex(shape: readonly number[], visit: (index: readonly number[], place: number) => void): void {
  const index = shape.map(() => 0);
  const count = shape.reduce((a, b) => a * b, 1);
  for (let place = 0; place < count; place++) {
    visit(index, place);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]!++;
      if (index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
}

/** Steps in memory along each axis of `shape`, 0 along axes that are repeated. */
function stridesIn(own: readonly number[], shape: readonly number[]): number[] {
  const offset = shape.length - own.length;
  let step = 1;
  const strides = shape.map(() => 0);
  for (let axis = own.length - 1; axis >= 0; axis--) {
    strides[axis + offset] = own[axis] === 1 ? 0 : step;
    step *= own[axis]!;
  }
  return strides;
}

function broadcast(x: FloatNumbers, y: FloatNumbers, shape: readonly number[], apply: Binary): FloatNumbers {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  const [first, second] = [stridesIn(x.shape, shape), stridesIn(y.shape, shape)];
  const at = (strides: readonly number[], index: readonly number[]): number =>
    index.reduce((sum, i, axis) => sum + i * strides[axis]!, 0);
  eachIndex(shape, (index, place) => {
    data[place] = apply(x.data[at(first, index)]!, y.data[at(second, index)]!);
  });
  return { shape, data };
}

function reduced(x: FloatNumbers, shape: readonly number[], node: Node): FloatNumbers | undefined {
  const [start, step] = REDUCTIONS[node.operator]!;
  const given = node.inputs[1]?.constant ? toNumbers(node.inputs[1].constant.load()) : node.ints("axes");
  if (node.inputs[1] && !node.inputs[1].constant) return undefined;
  const rank = x.shape.length;
  const axes = new Set((given ?? x.shape.map((_, axis) => axis)).map((axis) => (axis + rank) % rank));
  const kept = x.shape.map((length, axis) => (axes.has(axis) ? 1 : length));
  const strides = stridesIn(kept, x.shape);
  const results = new Float64Array(kept.reduce((a, b) => a * b, 1)).fill(start);
  eachIndex(x.shape, (index, place) => {
    const target = index.reduce((sum, i, axis) => sum + i * strides[axis]!, 0);
    results[target] = step(results[target]!, x.data[place]!);
  });
  return { shape, data: Float32Array.from(results) };
}

function transposed(x: FloatNumbers, shape: readonly number[], perm: readonly number[] | undefined): FloatNumbers {
  const order = perm ?? x.shape.map((_, axis) => x.shape.length - 1 - axis);
  const strides = x.shape.map((_, axis) => x.shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const data = new Float32Array(x.data.length);
  eachIndex(shape, (index, place) => {
    data[place] = x.data[index.reduce((sum, i, axis) => sum + i * strides[order[axis]!]!, 0)]!;
  });
  return { shape, data };
}

/** A part along the first axis. */
function splitPart(x: FloatNumbers, node: Node, name: string): FloatNumbers | undefined {
  if (node.int("axis", 0) !== 0) return undefined;
  let from = 0;
  for (const output of node.outputs) {
    const shape = output && staticShape(output);
    if (!shape) return undefined;
    const count = shape.reduce((a, b) => a * b, 1);
    if (output.name === name) return { shape, data: x.data.slice(from, from + count) };
    from += count;
  }
  return undefined;
}
