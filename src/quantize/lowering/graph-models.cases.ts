/** Small models of what stands between layers, with the operators that the cpu lowering shall make of them. */
import { constantValue, type Emitter, Graph, Node, type Program, Value } from "../../program/index.ts";
import { float32, int64 } from "../../tensor/index.ts";
import { numbers, type ProgramOptions, programOf, weights } from "../small-models.cases.ts";

/** A model, and its nodes after lowering for the cpu at W8A8 (`q.` stands for com.microsoft.). */
export interface GraphModel {
  readonly name: string;
  readonly build: () => Program;
  readonly cpu: string;
}

type Step = (emitter: Emitter, x: Value) => Value;

const PADDED = { pads: [1, 1, 1, 1] };

const conv = (name: string, outputs = 4, inputs = 4): Step => (e, x) =>
  e.emit("Conv", [x, weights(`${name}.w`, [outputs, inputs, 3, 3], 0.25), weights(`${name}.b`, [outputs], 0.2)], { attributes: PADDED }); // biome-ignore format: one node

const op = (operator: string, attributes: Node["attributes"] | Record<string, never> | object = {}, ...constants: (Value | undefined)[]): Step => (e, x) =>
  e.emit(operator, [x, ...constants], { attributes: attributes as Record<string, number> }); // biome-ignore format: one node

const scalar = (value: number): Value => numbers("bound", [], [value]);
const integers = (...values: number[]): Value => constantValue("integers", int64(values));

/** The steps between two convolutions; y is the second's result. */
function between(
  steps: readonly Step[],
  { channels = 4, ...options }: ProgramOptions & { channels?: number } = {},
): () => Program {
  return () =>
    programOf(
      { x: ["batch", 4, 6, 6] },
      (e, { x }) => {
        const middle = steps.reduce((value, step) => step(e, value), conv("first")(e, x!));
        return [
          e.emit("Conv", [middle, weights("last.w", [5, channels, 3, 3], 0.2)], { output: "y", attributes: PADDED }),
        ];
      },
      options,
    );
}

const CONV_CONV = "QuantizeLinear QLinearConv QLinearConv DequantizeLinear";

/** Whatever stays in float between two convolutions. */
function floatBetween(operators: string): string {
  return `QuantizeLinear QLinearConv DequantizeLinear ${operators} QuantizeLinear QLinearConv DequantizeLinear`;
}

function movedBetween(operator: string): string {
  return `QuantizeLinear QLinearConv ${operator} QLinearConv DequantizeLinear`;
}

const activations: readonly GraphModel[] = [
  { name: "relu", build: between([op("Relu")]), cpu: CONV_CONV },
  { name: "relu6", build: between([op("Clip", {}, scalar(0), scalar(6))]), cpu: CONV_CONV },
  { name: "clip around zero", build: between([op("Clip", {}, scalar(-0.5), scalar(0.7))]), cpu: CONV_CONV },
  { name: "relu, then a bound above", build: between([op("Relu"), op("Min", {}, scalar(1))]), cpu: CONV_CONV },
  { name: "maximum of zero and x", build: between([(e, x) => e.emit("Max", [scalar(0), x])]), cpu: CONV_CONV },
  { name: "clip above zero", build: between([op("Clip", {}, scalar(0.2), scalar(2))]), cpu: floatBetween("Clip") },
  { name: "sigmoid", build: between([op("Sigmoid")]), cpu: floatBetween("Sigmoid") },
  { name: "leaky relu", build: between([op("LeakyRelu")]), cpu: floatBetween("LeakyRelu") },
  { name: "hard swish", build: between([op("HardSwish")]), cpu: floatBetween("HardSwish") },
  { name: "silu", build: between([(e, x) => e.emit("Mul", [x, e.emit("Sigmoid", [x])])]), cpu: floatBetween("Sigmoid Mul") },
  { name: "softmax over channels", build: between([op("Softmax", { axis: 1 })]), cpu: "QuantizeLinear QLinearConv DequantizeLinear Softmax Cast Mul Conv" },
]; // biome-ignore format: a table

const moves: readonly GraphModel[] = [
  { name: "max pool", build: between([op("MaxPool", { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 })]), cpu: movedBetween("MaxPool") },
  { name: "padded and dilated max pool", build: between([op("MaxPool", { kernel_shape: [3, 3], dilations: [2, 2], pads: [1, 1, 1, 1] })]), cpu: movedBetween("MaxPool") },
  { name: "pad with zeros, read by a max pool", build: between([op("Relu"), op("Pad", {}, integers(0, 0, 1, 0, 0, 0, 0, 1)), op("MaxPool", { kernel_shape: [2, 2] })]), cpu: movedBetween("Pad MaxPool") },
  { name: "pad along two axes", build: between([op("Relu"), op("Pad", {}, integers(1, 1, 0, 1), undefined, integers(2, 3)), op("MaxPool", { kernel_shape: [2, 2] })], { opset: 18 }), cpu: movedBetween("Pad MaxPool") },
  { name: "reflected padding", build: between([op("Pad", { mode: "reflect" }, integers(0, 0, 1, 1, 0, 0, 1, 1))]), cpu: movedBetween("Pad") },
  { name: "pad with ones", build: between([op("Pad", {}, integers(0, 0, 1, 1, 0, 0, 1, 1), scalar(1))]), cpu: floatBetween("Pad") },
  { name: "transpose and reshape", build: between([op("Transpose", { perm: [0, 1, 3, 2] }), op("Reshape", {}, integers(0, 4, 4, 9))]), cpu: movedBetween("Transpose Reshape") },
  { name: "slice", build: between([op("Slice", {}, integers(1), integers(5), integers(2))]), cpu: movedBetween("Slice") },
  { name: "gather of rows", build: between([op("Gather", { axis: 2 }, integers(5, 0, 2))]), cpu: movedBetween("Gather") },
  { name: "tile", build: between([op("Tile", {}, integers(1, 1, 2, 1))]), cpu: movedBetween("Tile") },
  { name: "expand", build: between([op("Slice", {}, integers(0), integers(1), integers(2)), op("Expand", {}, integers(1, 1, 3, 1))]), cpu: movedBetween("Slice Expand") },
  { name: "squeeze and unsqueeze", build: between([op("Slice", {}, integers(0), integers(1), integers(2)), op("Squeeze", {}, integers(2)), op("Unsqueeze", {}, integers(3))]), cpu: movedBetween("Slice Squeeze Unsqueeze") },
]; // biome-ignore format: a table

const pools: readonly GraphModel[] = [
  { name: "average pool", build: between([op("AveragePool", { kernel_shape: [2, 2], strides: [2, 2] })]), cpu: movedBetween("q.QLinearAveragePool") },
  { name: "padded average pool", build: between([op("AveragePool", { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 1 })]), cpu: movedBetween("q.QLinearAveragePool") },
  { name: "average pool that rounds up", build: between([op("AveragePool", { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 })]), cpu: movedBetween("q.QLinearAveragePool") },
  { name: "average pool dilated by one", build: between([op("AveragePool", { kernel_shape: [2, 2], dilations: [1, 1] })], { opset: 19 }), cpu: movedBetween("q.QLinearAveragePool") },
  { name: "dilated average pool", build: between([op("AveragePool", { kernel_shape: [2, 2], dilations: [2, 2] })], { opset: 19 }), cpu: "Cast Mul Conv AveragePool Cast Mul Conv" },
  { name: "global average pool", build: between([op("GlobalAveragePool")]), cpu: movedBetween("q.QLinearGlobalAveragePool") },
]; // biome-ignore format: a table

const joints: readonly GraphModel[] = [
  {
    name: "residual add, then relu",
    build: between([(e, x) => e.emit("Relu", [e.emit("Add", [conv("inner")(e, x), x])])]),
    cpu: "QuantizeLinear QLinearConv QLinearConv q.QLinearAdd QLinearConv DequantizeLinear",
  },
  {
    name: "residual add of relu and itself, then a bound by maximum",
    build: between([op("Relu"), (e, x) => e.emit("Max", [scalar(0), e.emit("Add", [x, conv("inner")(e, x)])])]),
    cpu: "QuantizeLinear QLinearConv QLinearConv q.QLinearAdd QLinearConv DequantizeLinear",
  },
  {
    name: "value added to itself",
    build: between([(e, x) => e.emit("Add", [x, x])]),
    cpu: movedBetween("q.QLinearAdd"),
  },
  {
    name: "add of a constant per channel before and after relu",
    build: between([op("Relu"), (e, x) => e.emit("Add", [x, numbers("shift", [4, 1, 1], [1, 2, 3, 4])])]),
    cpu: floatBetween("Add"),
  },
  {
    name: "concatenation",
    build: between([(e, x) => e.emit("Concat", [op("Relu")(e, conv("left")(e, x)), op("Relu")(e, conv("right", 3)(e, x))], { attributes: { axis: 1 } })], { channels: 7 }),
    cpu: "QuantizeLinear QLinearConv QLinearConv QLinearConv Concat QLinearConv DequantizeLinear",
  },
  {
    name: "concatenation of parts with other bounds",
    build: between([(e, x) => e.emit("Concat", [conv("left")(e, x), op("Relu")(e, conv("right", 3)(e, x))], { attributes: { axis: 1 } })], { channels: 7 }),
    cpu: "QuantizeLinear QLinearConv QLinearConv QLinearConv DequantizeLinear DequantizeLinear Concat QuantizeLinear QLinearConv DequantizeLinear",
  },
  {
    name: "concatenation with a part that others read",
    build: between([(e, x) => e.emit("Concat", [x, conv("right", 3)(e, x)], { attributes: { axis: 1 } })], { channels: 7 }),
    cpu: "QuantizeLinear QLinearConv QLinearConv DequantizeLinear DequantizeLinear Concat QuantizeLinear QLinearConv DequantizeLinear",
  },
  {
    name: "gate in float beside the next layer",
    build: between([(e, x) => e.emit("Mul", [conv("inner")(e, x), e.emit("Tanh", [x])])]),
    cpu: "QuantizeLinear QLinearConv QLinearConv DequantizeLinear Tanh DequantizeLinear Mul QuantizeLinear QLinearConv DequantizeLinear",
  },
]; // biome-ignore format: a table

const ends: readonly GraphModel[] = [
  {
    name: "outputs in the middle",
    build: () =>
      programOf({ x: [2, 4, 6, 6] }, (e, { x }) => {
        const first = conv("first")(e, x!);
        const bounded = e.emit("Relu", [first]);
        return [bounded, first, conv("last")(e, bounded)];
      }),
    cpu: "QuantizeLinear QLinearConv DequantizeLinear Relu QuantizeLinear QLinearConv DequantizeLinear",
  },
  {
    name: "outputs in the middle after relu, moved and read",
    build: () =>
      programOf({ x: [2, 4, 6, 6] }, (e, { x }) => {
        const bounded = e.emit("Relu", [conv("first")(e, x!)]);
        const moved = e.emit("Transpose", [bounded], { attributes: { perm: [0, 1, 3, 2] } });
        return [bounded, moved, conv("last")(e, moved)];
      }),
    cpu: "QuantizeLinear QLinearConv Transpose QLinearConv DequantizeLinear DequantizeLinear DequantizeLinear",
  },
  {
    name: "classifier that is a convolution",
    build: () =>
      programOf({ x: [2, 4, 6, 6] }, (e, { x }) => {
        const first = op("Relu")(e, conv("first")(e, x!));
        const scores = op("GlobalAveragePool")(e, op("Relu")(e, conv("classes", 10)(e, first)));
        return [op("Flatten")(e, scores)];
      }),
    cpu: "QuantizeLinear QLinearConv QLinearConv DequantizeLinear GlobalAveragePool Flatten",
  },
  {
    name: "classifier after a pool",
    build: () =>
      programOf({ x: [2, 4, 6, 6] }, (e, { x }) => {
        const pooled = op("Flatten")(e, op("GlobalAveragePool")(e, op("Relu")(e, conv("first")(e, x!))));
        return [e.emit("Softmax", [e.emit("Gemm", [pooled, weights("head", [10, 4]), weights("bias", [10])], { attributes: { transB: 1 } })])];
      }),
    cpu: "QuantizeLinear QLinearConv q.QLinearGlobalAveragePool Flatten q.QGemm Softmax",
  },
  {
    name: "detection heads joined at the end",
    build: () =>
      programOf({ x: [2, 4, 6, 6] }, (e, { x }) => {
        const body = op("Relu")(e, conv("first")(e, x!));
        const heads = [conv("boxes", 4)(e, body), op("Sigmoid")(e, conv("classes", 3)(e, body))];
        return [e.emit("Concat", heads, { attributes: { axis: 1 } })];
      }),
    cpu: "QuantizeLinear QLinearConv QLinearConv QLinearConv DequantizeLinear Sigmoid DequantizeLinear Concat",
  },
]; // biome-ignore format: a table

/** Models with something rare about them, for every target. */
export const oddModels: readonly GraphModel[] = [
  {
    name: "two layers that share weights",
    build: () =>
      programOf({ x: [2, 4, 6, 6] }, (e, { x }) => {
        const shared = weights("shared", [4, 4, 3, 3], 0.3);
        const first = e.emit("Relu", [e.emit("Conv", [x!, shared], { attributes: PADDED })]);
        return [e.emit("Conv", [first, shared], { attributes: PADDED })];
      }),
    cpu: CONV_CONV,
  },
  {
    name: "float16",
    build: () =>
      programOf(
        { x: [2, 4, 6, 6] },
        (e, { x }) => {
          const inputs = [weights("a", [4, 4, 3, 3], 0.3, "float16"), weights("b", [4], 0.2, "float16")];
          const first = e.emit("Relu", [e.emit("Conv", [x!, ...inputs], { attributes: PADDED })]);
          const flat = e.emit("Flatten", [first]);
          return [e.emit("MatMul", [flat, weights("c", [144, 5], 0.1, "float16")])];
        },
        { dtype: "float16" },
      ),
    cpu: "Cast Mul Cast Conv Relu Flatten Cast Mul Cast MatMul",
  },
  {
    name: "gemm that adds a matrix",
    build: () =>
      programOf({ x: [4, 8] }, (e, { x }) => {
        const first = op("Relu")(e, e.emit("Gemm", [x!, weights("a", [8, 8], 0.4), weights("matrix", [4, 8])]));
        return [e.emit("Gemm", [first, weights("c", [8, 5], 0.4), weights("column", [4, 1])])];
      }),
    cpu: "Cast Mul Gemm Relu Cast Mul Gemm",
  },
  {
    name: "gemm of a transposed input, scaled",
    build: () =>
      programOf({ x: [8, 4] }, (e, { x }) => {
        const attributes = { transA: 1, alpha: { float: 0.5 }, beta: { float: 2 } };
        const first = op("Relu")(e, e.emit("Gemm", [x!, weights("a", [8, 8], 0.4), weights("b", [8])], { attributes }));
        return [e.emit("Gemm", [first, weights("c", [8, 5], 0.4)], { attributes: { alpha: { float: 3 } } })];
      }),
    cpu: "QuantizeLinear q.QGemm q.QGemm",
  },
  {
    name: "convolution with a bias that is computed",
    build: () =>
      programOf({ x: [1, 4, 6, 6] }, (e, { x }) => {
        const first = op("Relu")(e, conv("first")(e, x!));
        const bias = e.emit("ReduceMean", [first], { attributes: { axes: [0, 2, 3], keepdims: 0 } });
        const second = e.emit("Conv", [first, weights("w", [4, 4, 3, 3], 0.3), bias], { attributes: PADDED });
        return [conv("last")(e, second)];
      }),
    cpu: "QuantizeLinear QLinearConv DequantizeLinear ReduceMean Cast Mul Conv QuantizeLinear QLinearConv DequantizeLinear",
  },
  {
    name: "3-D convolution",
    build: () =>
      programOf({ x: [1, 2, 5, 5, 5] }, (e, { x }) => {
        const first = op("Relu")(e, e.emit("Conv", [x!, weights("a", [4, 2, 2, 2, 2], 0.4)]));
        return [e.emit("Conv", [first, weights("b", [3, 4, 3, 3, 3], 0.2)])];
      }),
    cpu: CONV_CONV,
  },
  {
    name: "branch that reads a quantized value",
    build: () =>
      programOf({ x: [2, 4, 6, 6] }, (e, { x }) => {
        const first = op("Relu")(e, conv("first")(e, x!));
        const condition = e.emit("Greater", [e.emit("ReduceMax", [first], { attributes: { keepdims: 0 } }), scalar(0)]);
        const chosen = new Value("chosen");
        const branch = (operator: string): Graph => {
          const result = new Value(operator, "float32", [2, 4, 6, 6]);
          return new Graph(operator, { nodes: [new Node(operator, [first], [result])], outputs: [result] });
        };
        const attributes = { then_branch: branch("Neg"), else_branch: branch("Abs") };
        e.append(new Node("If", [condition], [chosen], { attributes }));
        return [conv("last")(e, chosen)];
      }),
    cpu: "QuantizeLinear QLinearConv DequantizeLinear ReduceMax Greater If QuantizeLinear QLinearConv DequantizeLinear",
  },
  {
    name: "channel whose weights are all zero, with a bias",
    build: () =>
      programOf({ x: [2, 2, 6, 6] }, (e, { x }) => {
        const w = Float32Array.from({ length: 36 }, (_, i) => (i < 18 ? 0 : Math.sin(i)));
        const inputs = [constantValue("w", float32([2, 2, 3, 3], w)), numbers("b", [2], [3, -0.5])];
        const first = op("Relu")(e, e.emit("Conv", [x!, ...inputs], { attributes: PADDED }));
        return [conv("last", 3, 2)(e, first)];
      }),
    cpu: CONV_CONV,
  },
  {
    name: "integers beside the picture",
    build: () => {
      const index = new Value("index", "int64", [2]);
      const program = programOf({ x: [2, 4, 6, 6] }, (e, { x }) => {
        const table = e.emit("Gather", [weights("table", [5, 4]), index]);
        const wide = e.emit("Unsqueeze", [table, integers(2, 3)]);
        return [conv("last")(e, e.emit("Add", [op("Relu")(e, conv("first")(e, x!)), wide]))];
      });
      program.graph.inputs.push(index);
      return program;
    },
    cpu: "Cast Mul Gather Unsqueeze QuantizeLinear QLinearConv DequantizeLinear Add QuantizeLinear QLinearConv DequantizeLinear",
  },
]; // biome-ignore format: a table

/** All of them. */
export const graphModels: readonly GraphModel[] = [
  ...activations,
  ...moves,
  ...pools,
  ...joints,
  ...ends,
  ...oddModels,
];
