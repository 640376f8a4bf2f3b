/** Cases of operators that move elements, make tensors, or compute shapes. */
import { constantValue, Node, Value } from "../../src/program/index.ts";
import { Tensor } from "../../src/tensor/index.ts";
import {
  type CaseOptions,
  chain,
  constant,
  input,
  type OperatorCase,
  outputValues,
  scalar,
  single,
} from "./operator-case.ts";

const MICROSOFT = "com.microsoft";
const scale = scalar(0.5, "float32");
const zero = scalar(3, "uint8");

// biome-ignore format: a table
const REDUCTIONS = [
  "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd",
  "ReduceSum", "ReduceSumSquare",
];

/** Reductions, and operators that reshape. */
const reshaping: readonly OperatorCase[] = [
  ...REDUCTIONS.map((name) => single(name, [input([2, 3, 4]), constant([-1, 0])], { attributes: { keepdims: 0 } })),
  single("ReduceMean", [input([2, 3, 4])], {
    title: "ReduceMean with axes as attribute",
    opset: 13,
    attributes: { axes: [1] },
  }),
  single("ReduceSum", [input([2, 3, 4])], { title: "ReduceSum without axes", attributes: { noop_with_empty_axes: 1 } }),
  ...["ArgMax", "ArgMin"].map((name) => single(name, [input([2, 3, 4])], { attributes: { axis: -1, keepdims: 0 } })),
  single("QLinearReduceMean", [input([2, 3, 4], "uint8"), scale, zero, scale, zero], {
    domain: MICROSOFT,
    attributes: { axes: [1], keepdims: 1 },
    expected: ["uint8 [2, 1, 4]"],
  }),
  single("Reshape", [input([2, 3, 4]), constant([0, -1])]),
  single("Reshape", [input([2, 0, 4]), constant([0, 2])], {
    title: "Reshape with allowzero",
    attributes: { allowzero: 1 },
  }),
  single("Flatten", [input([2, 3, 4])], { attributes: { axis: 2 } }),
  single("Squeeze", [input([1, 3, 1]), constant([-1])]),
  single("Squeeze", [input([1, 3, 1])], { title: "Squeeze of all axes", opset: 11 }),
  single("Unsqueeze", [input([3, 4]), constant([0, -1])]),
  single("Unsqueeze", [input([3, 4])], {
    title: "Unsqueeze with axes as attribute",
    opset: 11,
    attributes: { axes: [1] },
  }),
  single("Transpose", [input([2, 3, 4])], { attributes: { perm: [1, 2, 0] } }),
  single("Transpose", [input([2, 3, 4])], { title: "Transpose of all axes" }),
  single("DepthToSpace", [input([1, 8, 2, 3])], { attributes: { blocksize: 2 } }),
  single("SpaceToDepth", [input([1, 2, 4, 6])], { attributes: { blocksize: 2 } }),
  single("Concat", [input([2, 3]), input([2, 1]), input([2, 4])], { attributes: { axis: -1 } }),
  single("QLinearConcat", [scale, zero, input([2, 3], "uint8"), scale, zero, input([2, 1], "uint8"), scale, zero], {
    domain: MICROSOFT,
    attributes: { axis: 1 },
  }),
  single("Split", [input([2, 7])], { attributes: { axis: 1, num_outputs: 3 }, outputs: 3 }),
  single("Split", [input([2, 7]), constant([3, 4])], {
    title: "Split by lengths",
    attributes: { axis: 1 },
    outputs: 2,
  }),
  single("Slice", [input([8, 9]), constant([1, -1]), constant([100, -100]), constant([0, 1]), constant([3, -2])]),
  single("Slice", [input([8, 9])], {
    title: "Slice by attributes",
    opset: 9,
    attributes: { starts: [2], ends: [-1], axes: [1] },
  }),
];

/** Operators whose output is longer, or chosen by index. */
const choosing: readonly OperatorCase[] = [
  single("Expand", [input([3, 1]), constant([2, 1, 4])]),
  single("Tile", [input([2, 3]), constant([2, 3])]),
  single("Pad", [input([2, 3]), constant([1, 0, 2, 4])]),
  single("Pad", [input([2, 3]), constant([1, -1]), undefined, constant([1])], { title: "Pad of some axes" }),
  single("Pad", [input([2, 3])], { title: "Pad by attribute", opset: 10, attributes: { pads: [1, 0, 2, 4] } }),
  single("CenterCropPad", [input([8, 4]), constant([5, 6])]),
  single("OneHot", [input([2, 3], "int64"), scalar(5), constant([0, 1], "float32")], { attributes: { axis: 1 } }),
  single("TopK", [input([2, 5]), constant([3])], { outputs: 2 }),
  single("Gather", [input([5, 3]), constant([0, 2], "int64", [1, 2])], { attributes: { axis: 1 } }),
  single("GatherElements", [input([5, 3]), input([2, 3], "int64")]),
  single("GatherND", [input([2, 3, 4]), constant([0, 1], "int64", [2, 1])], { attributes: { batch_dims: 1 } }),
  single("GatherND", [input([2, 3, 4]), constant([0, 1], "int64", [1, 2])], {
    domain: MICROSOFT,
    expected: ["float32 [1, 4]"],
  }),
  single("GatherBlockQuantized", [input([5, 16], "uint8"), input([2, 3], "int64"), input([5, 1])], {
    domain: MICROSOFT,
    attributes: { bits: 4, block_size: 32, gather_axis: 0, quantize_axis: 1 },
  }),
  single("NonZero", [input([2, 3])], { partial: true }),
  single("Compress", [input([2, 3]), constant([0, 1, 1], "bool")], { attributes: { axis: 1 } }),
  single("Unique", [input([6])], { outputs: 4, partial: true }),
  single(
    "NonMaxSuppression",
    [input([1, 3, 4]), input([1, 2, 3]), constant([2]), constant([0.5], "float32"), constant([0], "float32")],
    { partial: true },
  ),
  single("Resize", [input([1, 2, 5, 7]), undefined, constant([1, 1, 1.5, 0.6], "float32")]),
  single("Resize", [input([1, 2, 5, 7]), undefined, undefined, constant([10, 9])], {
    title: "Resize of some axes, keeping their ratio",
    attributes: { axes: [2, 3], keep_aspect_ratio_policy: "not_larger" },
  }),
  single("Resize", [input([1, 2, 5, 7]), constant([1, 1, 2, 2], "float32")], {
    title: "Resize of operator set 10",
    opset: 10,
  }),
  single("Upsample", [input([1, 2, 5, 7]), constant([1, 1, 2, 3], "float32")], { opset: 9 }),
  single("GridSample", [input([1, 2, 4, 4]), input([1, 3, 5, 2])]),
  single("AffineGrid", [input([1, 2, 3]), constant([1, 2, 4, 5])]),
  single("ImageDecoder", [input([10], "uint8")], { partial: true, expected: ["uint8 [4, 5, 3]"] }),
];

/** Operators that make tensors. */
const making: readonly OperatorCase[] = [
  single("Shape", [input([2, 3, 4])], { attributes: { start: 1, end: -1 } }),
  single("Size", [input([2, 3, 4])]),
  single("Range", [scalar(1), scalar(10), scalar(4)]),
  single("Constant", [], { attributes: { value_floats: { kind: "floats", value: [1, 2] } } }),
  single("ConstantOfShape", [constant([2, 3])], { attributes: { value: new Tensor("int32", [1], Int32Array.of(7)) } }),
  single("EyeLike", [input([2, 3])], { attributes: { dtype: 6 } }),
  ...["RandomNormalLike", "RandomUniformLike"].map((name) => single(name, [input([2, 3])])),
  single("Bernoulli", [scaledDown()], { attributes: { dtype: 6 } }),
  ...["RandomNormal", "RandomUniform"].map((name) => single(name, [], { attributes: { shape: [2, 3] } })),
  single("Multinomial", [input([2, 3])], { attributes: { sample_size: 4 } }),
  ...["BlackmanWindow", "HammingWindow", "HannWindow"].map((name) => single(name, [scalar(5)])),
  single("MelWeightMatrix", [scalar(4), scalar(16), scalar(8000), scalar(0, "float32"), scalar(4000, "float32")]),
  single("DFT", [input([1, 9, 1]), undefined, scalar(1)], { opset: 20, attributes: { onesided: 1 } }),
  single("DFT", [input([1, 9, 2])], { title: "DFT with its axis as attribute", opset: 17, attributes: { axis: 1 } }),
  single("STFT", [input([1, 32, 1]), scalar(8), input([16]), scalar(16)]),
];

function scaledDown(): ReturnType<typeof constant> {
  return constant([0.1, 0.2, 0.3], "float32", [1, 3]);
}

/** Text, and classical machine learning. */
const text: readonly OperatorCase[] = [
  single("StringSplit", [input([2], "string")], { opset: 20, outputs: 2, partial: true }),
  // ONNX Runtime wants the locale en_US, which not every machine has.
  single("StringNormalizer", [input([3], "string")], { expected: ["string [3]"] }),
  single("StringConcat", [input([2, 1], "string"), input([3], "string")], { opset: 20 }),
  single("RegexFullMatch", [input([2], "string")], { opset: 20, attributes: { pattern: "a.*" } }),
  single("TfIdfVectorizer", [input([2, 5], "int64")], {
    attributes: {
      mode: "TF",
      min_gram_length: 1,
      max_gram_length: 1,
      max_skip_count: 0,
      ngram_counts: [0],
      ngram_indexes: [0, 1, 2],
      pool_int64s: [0, 1, 2],
    },
  }),
  single("LabelEncoder", [input([2, 3], "int64")], {
    domain: "ai.onnx.ml",
    attributes: { keys_int64s: [0, 1], values_strings: ["no", "yes"] },
  }),
  single("Binarizer", [input([2, 3])], { domain: "ai.onnx.ml", attributes: { threshold: 1.5 } }),
  single("Imputer", [input([2, 3])], {
    domain: "ai.onnx.ml",
    attributes: { imputed_value_floats: { kind: "floats", value: [0] }, replaced_value_float: 1.5 },
  }),
  single("Normalizer", [input([2, 3])], { domain: "ai.onnx.ml", attributes: { norm: "L2" } }),
  single("Scaler", [input([2, 3])], {
    domain: "ai.onnx.ml",
    attributes: { offset: { kind: "floats", value: [0] }, scale: { kind: "floats", value: [2] } },
  }),
  single("ArrayFeatureExtractor", [input([2, 3]), constant([0, 2])], { domain: "ai.onnx.ml" }),
];

/** Shapes computed inside the graph, as exporters write them. */
const computed: readonly OperatorCase[] = [
  computedShape("Shape, Gather, Concat, Reshape", [input([2, 3, 4, 5])], ([x]) => {
    const [shape, batch, batches, target] = values(4);
    return [
      new Node("Shape", [x], [shape]),
      new Node("Gather", [shape, holding(scalar(0))], [batch]),
      new Node("Unsqueeze", [batch, holding(constant([0]))], [batches]),
      new Node("Concat", [batches, holding(constant([-1]))], [target], { attributes: { axis: 0 } }),
      new Node("Reshape", [x, target], outputValues(1)),
    ];
  }),
  computedShape("a Resize to twice the size by way of floats", [input([1, 2, 5, 7])], ([x]) => {
    const [shape, space, real, doubled, floor, whole, sizes] = values(7);
    return [
      new Node("Shape", [x], [shape]),
      new Node("Slice", [shape, holding(constant([2])), holding(constant([4]))], [space]),
      new Node("Cast", [space], [real], { attributes: { to: 1 } }),
      new Node("Mul", [real, holding(constant([2], "float32"))], [doubled]),
      new Node("Floor", [doubled], [floor]),
      new Node("Cast", [floor], [whole], { attributes: { to: 7 } }),
      new Node("Concat", [holding(constant([1, 2])), whole], [sizes], { attributes: { axis: 0 } }),
      new Node("Resize", [x, undefined, undefined, sizes], outputValues(1)),
    ];
  }),
  computedShape("pads turned round as PyTorch exports them", [input([2, 3, 4])], ([x]) => {
    const [pairs, turned, order, pads] = values(4);
    const steps = [constant([-1]), constant([-1000]), constant([0]), constant([-1])].map(holding);
    return [
      new Node("Reshape", [holding(constant([1, 2, 3, 4, 5, 6])), holding(constant([-1, 2]))], [pairs]),
      new Node("Slice", [pairs, ...steps], [turned]),
      new Node("Transpose", [turned], [order], { attributes: { perm: [1, 0] } }),
      new Node("Reshape", [order, holding(constant([-1]))], [pads]),
      new Node("Pad", [x, pads], outputValues(1)),
    ];
  }),
  computedShape("an Expand whose target is chosen by Where", [input([3, 1])], ([x]) => {
    const [filled, equal, target] = values(3);
    return [
      new Node("ConstantOfShape", [holding(constant([2]))], [filled], {
        attributes: { value: new Tensor("int64", [1], BigInt64Array.of(1n)) },
      }),
      new Node("Equal", [holding(constant([3, -1])), holding(constant([-1]))], [equal]),
      new Node("Where", [equal, filled, holding(constant([3, 4]))], [target]),
      new Node("Expand", [x, target], outputValues(1)),
    ];
  }),
];

function computedShape(
  title: string,
  operands: Parameters<typeof chain>[2],
  build: Parameters<typeof chain>[4],
): OperatorCase {
  const options: CaseOptions = {};
  return chain(title, [], operands, options, build);
}

function values(count: number): [Value, Value, Value, Value, Value, Value, Value] {
  return Array.from({ length: count }, (_, index) => new Value(`between_${index}`)) as ReturnType<typeof values>;
}

/** Makes a constant value of an operand. */
function holding({ tensor }: ReturnType<typeof constant>): Value {
  return constantValue("constant", tensor);
}

/** Operators that move elements or make tensors. */
export const movementCases: readonly OperatorCase[] = [...reshaping, ...choosing, ...making, ...text, ...computed];
