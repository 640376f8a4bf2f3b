/** One small model for each way in which an operator changed, in the form it had before. */
import { Graph, Node, type NodeOptions, Program, Value } from "../../program/index.ts";
import { type DType, Tensor } from "../../tensor/index.ts";

/** A model of an old operator set with inputs to run it on. */
export interface UpgradeCase {
  readonly name: string;
  readonly program: Program;
  readonly feeds: ReadonlyMap<string, Tensor>;
  /** How far outputs may differ where ONNX Runtime has another kernel for the newer version. Default 0. */
  readonly tolerance?: number;
}

interface CaseOptions {
  readonly opset: number;
  /** Shape of the float32 input x, filled with a fixed pattern of both signs. */
  readonly x?: readonly number[];
  /** More inputs of the node: constants, or undefined for missing ones. */
  readonly inputs?: readonly (Tensor | undefined)[];
  readonly attributes?: NodeOptions["attributes"];
  readonly outputs?: readonly DType[];
  /** Whether the graph says which shape x has; default true. */
  readonly shapeKnown?: boolean;
}

/** Values in [-3, 3] without repetitions in any short run. */
function pattern(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => (((i * 37) % 61) - 30) / 10);
}

/** Makes a float32 constant with the pattern. */
export function filled(shape: readonly number[]): Tensor {
  return new Tensor("float32", shape, pattern(shape.reduce((product, length) => product * length, 1)));
}

/** Makes a float32 vector. */
export function floats(...values: number[]): Tensor {
  return new Tensor("float32", [values.length], Float32Array.from(values));
}

/** Makes an int64 vector. */
export function ints(...values: number[]): Tensor {
  return new Tensor("int64", [values.length], BigInt64Array.from(values, BigInt));
}

/** Makes a model of a single node. */
export function singleNode(operator: string, options: CaseOptions): UpgradeCase {
  const { opset, x = [2, 3, 4, 5], inputs = [], attributes = {}, outputs = ["float32"], shapeKnown = true } = options;
  const input = new Value("x", "float32", shapeKnown ? x : x.map(() => null));
  if (!shapeKnown) input.shape = undefined;
  const constants = inputs.map((tensor, i) => tensor && constant(`c${i}`, tensor));
  const results = outputs.map((dtype, i) => new Value(`y${i}`, dtype));
  const node = new Node(operator, [input, ...constants], results, { name: "node", attributes });
  const graph = new Graph("case", { inputs: [input], outputs: results, nodes: [node] });
  const details = Object.entries(attributes).map(
    ([name, value]) => `${name}=${String((value as { float?: number }).float ?? value)}`,
  );
  return {
    name: `${operator} of opset ${opset} ${details.join(" ")}${shapeKnown ? "" : " unknown shape"}`,
    program: new Program(graph, [["", opset]], 7),
    feeds: new Map([["x", filled(x)]]),
  };
}

/** ONNX Runtime's kernel for AveragePool 19 divides where the older one multiplies by the reciprocal: one rounding more. */
function roundedOtherwise(original: UpgradeCase): UpgradeCase {
  return { ...original, tolerance: 2 ** -22 };
}

function constant(name: string, tensor: Tensor): Value {
  const value = new Value(name, tensor.dtype, tensor.shape);
  value.constant = { dtype: tensor.dtype, shape: tensor.shape, load: () => tensor };
  return value;
}

const reductions = [
  "ReduceL1", "ReduceL2", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum",
  "ReduceSumSquare",
].flatMap((operator) => [
  singleNode(operator, { opset: 11, attributes: { axes: [-1, 1], keepdims: 0 } }),
  singleNode(operator, { opset: 8 }),
]); // biome-ignore format: a table

const softmaxes = ["Softmax", "LogSoftmax", "Hardmax"].flatMap((operator) => [
  singleNode(operator, { opset: 11 }),
  singleNode(operator, { opset: 11, attributes: { axis: -1 } }),
  singleNode(operator, { opset: 11, attributes: { axis: 2 } }),
  singleNode(operator, { opset: 11, attributes: { axis: -2 } }),
  singleNode(operator, { opset: 9, attributes: { axis: 0 } }),
  singleNode(operator, { opset: 7, x: [2, 5] }),
  singleNode(operator, { opset: 8, x: [2, 5, 1, 1] }),
  singleNode(operator, { opset: 12, attributes: { axis: 1 }, shapeKnown: false }),
  singleNode(operator, { opset: 12, attributes: { axis: -2 }, shapeKnown: false }),
]);

const resizes = [
  singleNode("Upsample", { opset: 7, attributes: { mode: "nearest", scales: { kind: "floats", value: [1, 1, 2, 3] } } }),
  singleNode("Upsample", { opset: 7, attributes: { mode: "linear", scales: { kind: "floats", value: [1, 1, 2, 2] } } }),
  singleNode("Upsample", { opset: 9, inputs: [floats(1, 1, 2, 1.5)], attributes: { mode: "nearest" } }),
  singleNode("Upsample", { opset: 9, inputs: [floats(1, 1, 2, 1.5)], attributes: { mode: "linear" } }),
  singleNode("Resize", { opset: 10, inputs: [floats(1, 1, 2.5, 1.7)], attributes: { mode: "nearest" } }),
  singleNode("Resize", { opset: 10, inputs: [floats(1, 1, 0.5, 0.5)], x: [1, 2, 8, 6], attributes: { mode: "nearest" } }),
  singleNode("Resize", { opset: 10, inputs: [floats(1, 1, 0.6, 0.7)], x: [1, 2, 8, 9], attributes: { mode: "nearest" } }),
  singleNode("Resize", { opset: 10, inputs: [floats(1, 1, 0.6, 0.7)], x: [1, 2, 8, 9], attributes: { mode: "linear" } }),
  singleNode("Resize", { opset: 10, inputs: [floats(1, 1, 2, 3)] }),
  singleNode("Resize", {
    opset: 11, inputs: [floats(), floats(1, 1, 2, 2)],
    attributes: { mode: "linear", coordinate_transformation_mode: "align_corners" },
  }),
  singleNode("Resize", {
    opset: 11, inputs: [floats(), floats(1, 1, 0.7, 1.3)],
    attributes: { mode: "cubic", coordinate_transformation_mode: "pytorch_half_pixel", cubic_coeff_a: { float: -0.5 } },
  }),
  singleNode("GridSample", { opset: 16, x: [1, 2, 4, 4], inputs: [filled([1, 3, 3, 2])], attributes: { mode: "bilinear" } }),
  singleNode("GridSample", { opset: 16, x: [1, 2, 4, 4], inputs: [filled([1, 3, 3, 2])], attributes: { mode: "bicubic" } }),
  singleNode("GridSample", { opset: 19, x: [1, 2, 4, 4], inputs: [filled([1, 3, 3, 2])] }),
]; // biome-ignore format: a table

const statistics = [floats(0.5, 2, -1), floats(1, 0, 3), floats(0.1, -0.2, 0.3), floats(1, 2, 0.5)];
const pooling = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] };

/** Every case; all of them run in ONNX Runtime before and after. */
export const upgradeCases: readonly UpgradeCase[] = [
  ...reductions,
  ...softmaxes,
  ...resizes,
  singleNode("Squeeze", { opset: 11, x: [2, 1, 3, 1], attributes: { axes: [-1] } }),
  singleNode("Squeeze", { opset: 8, x: [2, 1, 3, 1] }),
  singleNode("Unsqueeze", { opset: 7, attributes: { axes: [0, 3] } }),
  singleNode("Clip", { opset: 10, attributes: { min: { float: -1 }, max: { float: 1.5 } } }),
  singleNode("Clip", { opset: 7, attributes: { max: { float: 1 } } }),
  singleNode("Clip", { opset: 6 + 1 }),
  singleNode("Pad", { opset: 10, attributes: { pads: [0, 0, 1, 2, 0, 0, 3, 0], value: { float: 7 } } }),
  singleNode("Pad", { opset: 10, attributes: { pads: [0, 0, 1, 2, 0, 0, 1, 0], mode: "reflect" } }),
  singleNode("Pad", { opset: 8, attributes: { pads: [0, 0, 1, -1, 0, 0, 0, 2], mode: "edge" } }),
  singleNode("Slice", { opset: 9, attributes: { axes: [3, 1], starts: [1, -2], ends: { kind: "ints", value: [2n ** 63n - 1n, 3n] } } }),
  singleNode("Slice", { opset: 7, attributes: { starts: [0, 1], ends: [1, 1000] } }),
  singleNode("TopK", { opset: 9, attributes: { k: 2, axis: 1 }, outputs: ["float32", "int64"] }),
  singleNode("TopK", { opset: 10, inputs: [ints(3)], outputs: ["float32", "int64"] }),
  singleNode("Split", { opset: 11, attributes: { axis: 3, split: [2, 3] }, outputs: ["float32", "float32"] }),
  singleNode("Split", { opset: 8, attributes: { axis: 2 }, outputs: ["float32", "float32"] }),
  singleNode("Split", { opset: 13, inputs: [ints(1, 2)], attributes: { axis: 1 }, outputs: ["float32", "float32"] }),
  singleNode("Dropout", { opset: 7, attributes: { ratio: { float: 0.3 } } }),
  singleNode("Dropout", { opset: 10 }),
  singleNode("Dropout", { opset: 12, inputs: [new Tensor("float32", [], Float32Array.of(0.3))], outputs: ["float32", "bool"] }),
  singleNode("BatchNormalization", { opset: 7, inputs: statistics, attributes: { spatial: 1, epsilon: { float: 0.01 } } }),
  singleNode("BatchNormalization", { opset: 9, inputs: statistics, attributes: { momentum: { float: 0.99 } } }),
  singleNode("GroupNormalization", { opset: 18, x: [2, 6, 4], inputs: [floats(1, 2), floats(0.5, -1)], attributes: { num_groups: 2 } }),
  singleNode("GroupNormalization", { opset: 18, x: [2, 3, 4], inputs: statistics.slice(0, 2), attributes: { num_groups: 3 } }),
  singleNode("Scatter", { opset: 9, x: [3, 3], inputs: [new Tensor("int64", [1, 3], BigInt64Array.of(2n, 0n, 1n)), filled([1, 3])] }),
  singleNode("RoiAlign", {
    opset: 10, x: [1, 2, 8, 8], inputs: [new Tensor("float32", [1, 4], Float32Array.of(1, 1, 6, 7)), ints(0)],
    attributes: { output_height: 3, output_width: 3, sampling_ratio: 2 },
  }),
  singleNode("LpPool", { opset: 11, attributes: { kernel_shape: [2, 2], p: 3 } }),
  singleNode("DFT", { opset: 17, x: [1, 8, 2], attributes: { axis: 1 } }),
  singleNode("DFT", { opset: 17, x: [1, 4, 6, 1], attributes: { axis: 2, onesided: 1 } }),
  roundedOtherwise(singleNode("AveragePool", { opset: 7, x: [1, 2, 7, 8], attributes: { ...pooling, count_include_pad: 1 } })),
  roundedOtherwise(singleNode("AveragePool", { opset: 10, x: [1, 2, 7, 8], attributes: { ...pooling, ceil_mode: 1 } })),
  singleNode("MaxPool", { opset: 8, x: [1, 2, 7, 8], attributes: pooling, outputs: ["float32", "int64"] }),
  singleNode("MaxPool", { opset: 10, x: [1, 2, 7, 8], attributes: { ...pooling, ceil_mode: 1 } }),
  singleNode("Gemm", { opset: 7, x: [2, 3], inputs: [filled([4, 3]), floats(1, 2, 3, 4)], attributes: { transB: 1, alpha: { float: 0.5 } } }),
  singleNode("PRelu", { opset: 7, inputs: [new Tensor("float32", [3, 1, 1], Float32Array.of(0.1, 0.2, 0.3))] }),
  singleNode("LSTM", { opset: 7, x: [3, 2, 4], inputs: [filled([1, 20, 4]), filled([1, 20, 5])], attributes: { hidden_size: 5 } }),
  singleNode("GRU", { opset: 7, x: [3, 2, 4], inputs: [filled([1, 15, 4]), filled([1, 15, 5])], attributes: { hidden_size: 5, linear_before_reset: 1 } }),
  singleNode("ConvTranspose", { opset: 1 + 6, inputs: [filled([3, 2, 3, 3])], attributes: { strides: [2, 2] } }),
  singleNode("Flatten", { opset: 7, attributes: { axis: 2 } }),
  singleNode("Reshape", { opset: 7, inputs: [ints(2, 0, -1)] }),
  singleNode("QuantizeLinear", { opset: 10, inputs: [new Tensor("float32", [], Float32Array.of(0.05)), new Tensor("uint8", [], Uint8Array.of(60))], outputs: ["uint8"] }),
  singleNode("Cast", { opset: 7, attributes: { to: 6 }, outputs: ["int32"] }),
]; // biome-ignore format: a table
