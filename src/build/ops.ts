/** The vocabulary programs are written in: one method per ONNX operator that layers, losses and gradients use. */
import { ShapeError } from "../errors.ts";
import { type AttributeInput, Node, type Shape, staticShape, Value } from "../program/index.ts";
import { type DType, dtypeCode, elementCount, int64, type Tensor, tensorOf } from "../tensor/index.ts";
import { assertSameTypes } from "./check-types.ts";
import type { GradientRule } from "./gradient-rule.ts";
import { GraphWriter } from "./graph-writer.ts";

/** A value, or a number that becomes a constant of the other operand's element type. */
export type Operand = Value | number;

/** Attributes of a new node; undefined ones are left out. */
export type Attributes = Readonly<Record<string, AttributeInput | undefined>>;

/** How a node is written, beyond its operator, inputs and attributes. */
export interface NodeSettings {
  /** Default "", ONNX's own. */
  readonly domain?: string;
  /** How gradients pass the node, instead of its operator's own rule. */
  readonly gradient?: GradientRule;
}

/** Which axes a reduction takes, and whether they stay with length 1 (default true, as in ONNX). */
export interface ReduceOptions {
  readonly axes?: readonly number[];
  readonly keepDims?: boolean;
}

/** Windows of convolutions and pools: one number per spatial axis. Pads: beginnings, then ends. */
export interface WindowOptions {
  readonly strides?: readonly number[] | undefined;
  readonly pads?: readonly number[] | undefined;
  readonly dilations?: readonly number[] | undefined;
}

/** Attributes of a convolution. */
export interface ConvOptions extends WindowOptions {
  readonly group?: number | undefined;
}

/**
 * Writes nodes into a graph. Each method appends one node (or a few), checks shapes and element types, and returns its output.
 * Shapes follow ONNX and broadcast as NumPy's do; a number as an operand takes the other operand's element type.
 *
 * Every method throws ShapeError or DTypeError, naming the layer, if the operands do not fit.
 *
 * @example
 * const ops = new Ops();
 * const x = ops.input("x", "float32", [8, 3]);
 * const y = ops.softmax(ops.mul(x, 2), -1);
 */
export class Ops {
  readonly writer: GraphWriter;
  /** Name of the layer that is written, such as `encoder.layers.0`; "" at the top. */
  readonly path: string;

  constructor(writer: GraphWriter = new GraphWriter(), path = "") {
    this.writer = writer;
    this.path = path;
  }

  /** Returns a writer of the same graph for the layer at `path`. */
  at(path: string): Ops {
    return new Ops(this.writer, path);
  }

  /** Returns a writer of the body of a Loop, Scan or If: values of this graph can be used there. */
  inside(name: string): Ops {
    return new Ops(this.writer.subgraph(name), this.path);
  }

  // ---- nodes, inputs, constants -------------------------------------------------------------------------------------

  /** Appends any node and returns its outputs. */
  emitAll(
    operator: string,
    inputs: readonly (Value | undefined)[],
    outputs: number,
    attributes: Attributes = {},
    settings: NodeSettings = {},
  ): Value[] {
    const name = `${this.path ? `${this.path}/` : ""}${operator}_${this.writer.nextNumber()}`;
    const made = Array.from({ length: outputs }, (_, index) => new Value(index === 0 ? name : `${name}:${index}`));
    const given = Object.entries(attributes).filter(
      (entry): entry is [string, AttributeInput] => entry[1] !== undefined,
    );
    const { domain = "", gradient } = settings;
    const node = new Node(operator, inputs, made, { domain, name, attributes: Object.fromEntries(given) });
    node.gradient = gradient;
    assertSameTypes(node);
    this.writer.append(node);
    return made;
  }

  /** Appends any node with one output and returns that. */
  emit(
    operator: string,
    inputs: readonly (Value | undefined)[],
    attributes: Attributes = {},
    settings: NodeSettings = {},
  ): Value {
    return this.emitAll(operator, inputs, 1, attributes, settings)[0]!;
  }

  /** Adds an input to the graph. A length may be a name, such as "batch", where the shape is to stay open. */
  input(name: string, dtype: DType, shape: Shape): Value {
    const value = new Value(name, dtype, shape);
    this.writer.graph.inputs.push(value);
    return value;
  }

  /** Returns a tensor as a constant of the program. */
  constant(tensor: Tensor, name?: string): Value {
    return this.writer.constant(tensor, name);
  }

  /** Returns a scalar constant. */
  scalar(number: number, dtype: DType = "float32"): Value {
    return this.constant(filled(dtype, [], number));
  }

  /** Returns a tensor of equal numbers; large ones are made when the program runs. */
  full(shape: readonly number[], number: number, dtype: DType = "float32"): Value {
    if (elementCount(shape) <= 1024) return this.constant(filled(dtype, shape, number));
    return this.emit("ConstantOfShape", [this.constant(int64(shape))], { value: filled(dtype, [1], number) });
  }

  // ---- arithmetic, element by element -------------------------------------------------------------------------------

  add = (a: Operand, b: Operand): Value => this.#binary("Add", a, b);
  sub = (a: Operand, b: Operand): Value => this.#binary("Sub", a, b);
  mul = (a: Operand, b: Operand): Value => this.#binary("Mul", a, b);
  div = (a: Operand, b: Operand): Value => this.#binary("Div", a, b);
  pow = (a: Operand, b: Operand): Value => this.#binary("Pow", a, b);
  max = (a: Operand, b: Operand): Value => this.#binary("Max", a, b);
  min = (a: Operand, b: Operand): Value => this.#binary("Min", a, b);
  equal = (a: Operand, b: Operand): Value => this.#binary("Equal", a, b);
  less = (a: Operand, b: Operand): Value => this.#binary("Less", a, b);
  lessOrEqual = (a: Operand, b: Operand): Value => this.#binary("LessOrEqual", a, b);
  greater = (a: Operand, b: Operand): Value => this.#binary("Greater", a, b);
  greaterOrEqual = (a: Operand, b: Operand): Value => this.#binary("GreaterOrEqual", a, b);
  and = (a: Value, b: Value): Value => this.emit("And", [a, b]);
  or = (a: Value, b: Value): Value => this.emit("Or", [a, b]);
  not = (x: Value): Value => this.emit("Not", [x]);

  neg = (x: Value): Value => this.emit("Neg", [x]);
  abs = (x: Value): Value => this.emit("Abs", [x]);
  sign = (x: Value): Value => this.emit("Sign", [x]);
  exp = (x: Value): Value => this.emit("Exp", [x]);
  log = (x: Value): Value => this.emit("Log", [x]);
  sqrt = (x: Value): Value => this.emit("Sqrt", [x]);
  reciprocal = (x: Value): Value => this.emit("Reciprocal", [x]);
  sin = (x: Value): Value => this.emit("Sin", [x]);
  cos = (x: Value): Value => this.emit("Cos", [x]);
  tanh = (x: Value): Value => this.emit("Tanh", [x]);
  sigmoid = (x: Value): Value => this.emit("Sigmoid", [x]);
  relu = (x: Value): Value => this.emit("Relu", [x]);
  softplus = (x: Value): Value => this.emit("Softplus", [x]);
  erf = (x: Value): Value => this.emit("Erf", [x]);
  floor = (x: Value): Value => this.emit("Floor", [x]);
  round = (x: Value): Value => this.emit("Round", [x]);
  identity = (x: Value): Value => this.emit("Identity", [x]);

  /** Returns x * x, as a product: Pow is many times slower. */
  square = (x: Value): Value => this.mul(x, x);

  /** Limits x to [low, high]; either may be left out. */
  clip(x: Value, low?: Operand, high?: Operand): Value {
    return this.emit("Clip", [
      x,
      low === undefined ? undefined : this.#operand(low, x),
      high === undefined ? undefined : this.#operand(high, x),
    ]);
  }

  /** Returns `yes` where the condition holds, else `no`. On CPU many times slower than arithmetic with a mask. */
  where(condition: Value, yes: Operand, no: Operand): Value {
    const typed = yes instanceof Value ? yes : no instanceof Value ? no : undefined;
    const operand = (x: Operand): Value => (x instanceof Value ? x : this.scalar(x, typed?.dtype));
    return this.emit("Where", [condition, operand(yes), operand(no)]);
  }

  /** Converts to an element type; returns x itself when it has that type. */
  cast(x: Value, dtype: DType): Value {
    return x.dtype === dtype ? x : this.emit("Cast", [x], { to: dtypeCode(dtype) });
  }

  // ---- shapes and movement ------------------------------------------------------------------------------------------

  /** Gives the elements another shape; one length may be -1 (what is left), 0 copies a length. */
  reshape(x: Value, shape: readonly number[]): Value {
    const from = staticShape(x);
    if (from && from.length === shape.length && from.every((length, axis) => length === shape[axis])) return x;
    return this.emit("Reshape", [x, this.constant(int64(shape))]);
  }

  /** Puts axis `permutation[i]` in place i. */
  transpose = (x: Value, permutation: readonly number[]): Value =>
    this.emit("Transpose", [x], { perm: [...permutation] });

  /** Repeats axes of length 1 until the shape is reached. */
  expand(x: Value, shape: readonly number[]): Value {
    const from = staticShape(x);
    if (from && from.length === shape.length && from.every((length, axis) => length === shape[axis])) return x;
    return this.emit("Expand", [x, this.constant(int64(shape))]);
  }

  squeeze = (x: Value, axes: readonly number[]): Value => this.emit("Squeeze", [x, this.constant(int64(axes))]);
  unsqueeze = (x: Value, axes: readonly number[]): Value => this.emit("Unsqueeze", [x, this.constant(int64(axes))]);
  concat = (parts: readonly Value[], axis: number): Value => this.emit("Concat", parts, { axis });
  tile = (x: Value, repeats: readonly number[]): Value => this.emit("Tile", [x, this.constant(int64(repeats))]);

  /** Cuts an axis into parts of the given lengths. */
  split = (x: Value, axis: number, lengths: readonly number[]): Value[] =>
    this.emitAll("Split", [x, this.constant(int64(lengths))], lengths.length, { axis });

  /** Takes x[start:end:step] along each of `axes`. */
  slice(
    x: Value,
    {
      axes,
      starts,
      ends,
      steps,
    }: { axes: readonly number[]; starts: readonly number[]; ends: readonly number[]; steps?: readonly number[] },
  ): Value {
    const parts = [starts, ends, axes, ...(steps ? [steps] : [])];
    return this.emit("Slice", [x, ...parts.map((part) => this.constant(int64(part)))]);
  }

  /** Adds `pads` (beginnings of all axes, then ends) elements of `fill` around; negative pads cut. */
  pad(x: Value, pads: readonly number[], fill: Operand = 0): Value {
    return this.emit("Pad", [x, this.constant(int64(pads)), this.#operand(fill, x)]);
  }

  gather = (x: Value, indices: Value, axis = 0): Value => this.emit("Gather", [x, indices], { axis });
  gatherElements = (x: Value, indices: Value, axis: number): Value =>
    this.emit("GatherElements", [x, indices], { axis });
  gatherND = (x: Value, indices: Value): Value => this.emit("GatherND", [x, indices]);

  /** Adds updates to x at indices along an axis; repeated indices add up. */
  scatterAdd = (x: Value, indices: Value, updates: Value, axis: number): Value =>
    this.emit("ScatterElements", [x, indices, updates], { axis, reduction: "add" });
  scatterNDAdd = (x: Value, indices: Value, updates: Value): Value =>
    this.emit("ScatterND", [x, indices, updates], { reduction: "add" });

  /** Writes 1 of the element type at each index along a new axis of length `depth`, 0 elsewhere. */
  oneHot(
    indices: Value,
    depth: number,
    { axis = -1, dtype = "float32" }: { axis?: number; dtype?: DType } = {},
  ): Value {
    const values = this.constant(tensorOf(dtype, [2], [0, 1]));
    return this.emit("OneHot", [indices, this.constant(int64([depth], [])), values], { axis });
  }

  // ---- reductions ---------------------------------------------------------------------------------------------------

  reduceSum = (x: Value, options?: ReduceOptions): Value => this.#reduce("ReduceSum", x, options);
  reduceMean = (x: Value, options?: ReduceOptions): Value => this.#reduce("ReduceMean", x, options);
  reduceMax = (x: Value, options?: ReduceOptions): Value => this.#reduce("ReduceMax", x, options);
  reduceMin = (x: Value, options?: ReduceOptions): Value => this.#reduce("ReduceMin", x, options);
  reduceProd = (x: Value, options?: ReduceOptions): Value => this.#reduce("ReduceProd", x, options);

  /** Index of the largest element along an axis, which goes. */
  argMax = (x: Value, axis: number): Value => this.emit("ArgMax", [x], { axis, keepdims: 0 });

  /** The k largest elements along an axis and their indices, largest first. */
  topK(x: Value, k: number, axis = -1): { values: Value; indices: Value } {
    const [values, indices] = this.emitAll("TopK", [x, this.constant(int64([k]))], 2, { axis });
    return { values: values!, indices: indices! };
  }

  cumSum = (x: Value, axis: number): Value => this.emit("CumSum", [x, this.constant(int64([axis], []))]);

  /** Sums the axes along which `shape` was broadcast to x's shape: the opposite of broadcasting. */
  sumTo(x: Value, shape: readonly number[]): Value {
    const from = this.shapeOf(x);
    const lead = from.length - shape.length;
    const axes = from.flatMap((length, axis) =>
      axis < lead || (shape[axis - lead] === 1 && length !== 1) ? [axis] : [],
    );
    const summed = axes.length > 0 ? this.reduceSum(x, { axes }) : x;
    return this.reshape(summed, shape);
  }

  // ---- products, windows, normalized exponentials -------------------------------------------------------------------

  matMul = (a: Value, b: Value): Value => this.emit("MatMul", [a, b]);
  einsum = (equation: string, operands: readonly Value[]): Value => this.emit("Einsum", operands, { equation });

  /** Swaps the last two axes. */
  transposeLast(x: Value): Value {
    const rank = this.rankOf(x);
    const order = Array.from({ length: rank }, (_, axis) => axis);
    return this.transpose(x, [...order.slice(0, -2), rank - 1, rank - 2]);
  }

  /** Shapes: x [batch, channels, ...spatial], w [out, channels / group, ...kernel], b [out] -> [batch, out, ...places]. */
  conv(x: Value, w: Value, b?: Value, { strides, pads, dilations, group }: ConvOptions = {}): Value {
    return this.emit("Conv", b ? [x, w, b] : [x, w], { strides, pads, dilations, group });
  }

  maxPool = (x: Value, kernel: readonly number[], { strides, pads, dilations }: WindowOptions = {}): Value =>
    this.emit("MaxPool", [x], { kernel_shape: [...kernel], strides, pads, dilations });

  /** Padding does not count in the mean unless `countPadding`. */
  averagePool(
    x: Value,
    kernel: readonly number[],
    { strides, pads, dilations, countPadding = false }: WindowOptions & { countPadding?: boolean } = {},
  ): Value {
    const count_include_pad = countPadding ? 1 : undefined;
    return this.emit("AveragePool", [x], { kernel_shape: [...kernel], strides, pads, dilations, count_include_pad });
  }

  globalAveragePool = (x: Value): Value => this.emit("GlobalAveragePool", [x]);
  softmax = (x: Value, axis = -1): Value => this.emit("Softmax", [x], { axis });
  logSoftmax = (x: Value, axis = -1): Value => this.emit("LogSoftmax", [x], { axis });

  // ---- gradients ----------------------------------------------------------------------------------------------------

  /** Returns x, through which no gradient flows. */
  stopGradient = (x: Value): Value => this.emit("StopGradient", [x], {}, { domain: "modicum" });

  /** Returns `forward`, with the gradient of `x`: gradients flow to x as if this were x. Shapes must be equal. */
  straightThrough = (x: Value, forward: Value): Value => this.customGradient([x], [forward], ({ dy }) => [dy])[0]!;

  /**
   * Returns `outputs`, through which gradients flow to `inputs` by `rule` instead of through the nodes between them.
   * The rule returns one gradient per input; its node's inputs are `inputs`, then `outputs`.
   *
   * @example
   * // Identity whose gradient is scaled by 0.1:
   * const [y] = ops.customGradient([x], [x], ({ dy, ops }) => [ops.mul(dy, 0.1)]);
   */
  customGradient(inputs: readonly Value[], outputs: readonly Value[], rule: GradientRule): Value[] {
    const settings = { domain: "modicum", gradient: rule };
    return this.emitAll("CustomGradient", [...inputs, ...outputs], outputs.length, {}, settings);
  }

  // ---- facts --------------------------------------------------------------------------------------------------------

  /** Returns a value's shape. @throws ShapeError if it is not all known: gradients and most layers need that. */
  shapeOf(value: Value): readonly number[] {
    const shape = staticShape(value);
    if (shape) return shape;
    const known = value.shape ? `[${value.shape.map((length) => length ?? "?").join(", ")}]` : "unknown";
    throw new ShapeError(
      `${this.path || "ops"}: the shape of "${value.name}" must be known when the program is built, got ${known}. ` +
        "Give the inputs fixed shapes.",
    );
  }

  /** Returns the numbers of a small tensor that follow from constants and shapes alone, row-major; else undefined. */
  numbersOf(value: Value | undefined): readonly number[] | undefined {
    const elements = value && this.writer.factOf(value).elements;
    return elements?.every((element) => typeof element === "number") ? (elements as readonly number[]) : undefined;
  }

  /** Returns the number of axes. @throws ShapeError if it is unknown. */
  rankOf(value: Value): number {
    if (value.shape) return value.shape.length;
    throw new ShapeError(`${this.path || "ops"}: the rank of "${value.name}" must be known, got none.`);
  }

  #binary(operator: string, a: Operand, b: Operand): Value {
    const typed = a instanceof Value ? a : b instanceof Value ? b : undefined;
    return this.emit(operator, [this.#operand(a, typed), this.#operand(b, typed)]);
  }

  #operand(operand: Operand, typed: Value | undefined): Value {
    return operand instanceof Value ? operand : this.scalar(operand, typed?.dtype);
  }

  #reduce(operator: string, x: Value, { axes, keepDims = true }: ReduceOptions = {}): Value {
    const keepdims = keepDims ? undefined : 0;
    // The sum takes its axes as an input since operator set 13, the others since 18.
    const asAttribute = operator !== "ReduceSum" && this.writer.opset < 18;
    if (asAttribute) return this.emit(operator, [x], { axes: axes && [...axes], keepdims });
    return this.emit(operator, axes ? [x, this.constant(int64(axes))] : [x], { keepdims });
  }
}

function filled(dtype: DType, shape: readonly number[], number: number): Tensor {
  return tensorOf(dtype, shape, new Float64Array(elementCount(shape)).fill(number));
}
