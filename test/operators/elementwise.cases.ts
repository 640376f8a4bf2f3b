/** Cases of operators that work on each element, and of those that change element types. */
import { constant, input, type OperatorCase, scalar, single } from "./operator-case.ts";

const MICROSOFT = "com.microsoft";
const image = [2, 4, 3, 3];

// biome-ignore format: a table
const UNARY = [
  "Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "Celu", "Clip", "Cos", "Cosh", "Elu", "Erf", "Exp",
  "Floor", "Gelu", "HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "Log", "Mish", "Neg", "Reciprocal", "Relu", "Round",
  "Selu", "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Softplus", "Softsign", "Sqrt", "Tan", "Tanh", "ThresholdedRelu",
  "Softmax", "LogSoftmax", "Hardmax", "Trilu", "LpNormalization", "IsNaN", "IsInf",
];
const BINARY = [
  "Add",
  "Div",
  "Mul",
  "Pow",
  "Sub",
  "Equal",
  "Greater",
  "GreaterOrEqual",
  "Less",
  "LessOrEqual",
  "PRelu",
];
const half = [constant([0.5], "float32", []), constant([3], "uint8", [])];

/** Elementwise operators. */
export const elementwiseCases: readonly OperatorCase[] = [
  ...UNARY.map((name) => single(name, [input([2, 3])])),
  single("Not", [input([2, 3], "bool")]),
  single("BitwiseNot", [input([2, 3], "int32")]),
  single("Swish", [input([2, 3])], { opset: 24, expected: ["float32 [2, 3]"] }),
  single("CumSum", [input([2, 3]), scalar(1)]),
  single("CumProd", [input([2, 3]), scalar(1)], { opset: 26, expected: ["float32 [2, 3]"] }),
  single("ReverseSequence", [input([4, 2]), constant([2, 3])]),
  single("LRN", [input(image)], { attributes: { size: 3 } }),
  single("MeanVarianceNormalization", [input(image)]),
  single("InstanceNormalization", [input(image), input([4]), input([4])]),
  single("GroupNormalization", [input(image), input([4]), input([4])], { attributes: { num_groups: 2 } }),
  single("RMSNormalization", [input([2, 4]), input([4])], { opset: 23 }),
  single("RotaryEmbedding", [input([1, 2, 3, 4]), input([1, 3, 2]), input([1, 3, 2])], { opset: 23 }),
  single("Scatter", [input([3, 3]), constant([0, 1], "int64", [1, 2]), input([1, 2])], { opset: 10 }),
  single("ScatterElements", [input([3, 3]), constant([0, 1], "int64", [1, 2]), input([1, 2])]),
  single("ScatterND", [input([3, 3]), constant([0, 1], "int64", [2, 1]), input([2, 3])]),
  single("TensorScatter", [input([2, 4, 3]), input([2, 1, 3])], { opset: 24, expected: ["float32 [2, 4, 3]"] }),
  ...["QuickGelu", "Gelu", "FastGelu"].map((name) => single(name, [input([2, 4])], { domain: MICROSOFT })),
  single("BiasGelu", [input([2, 4]), input([4])], { domain: MICROSOFT }),
  single("Trilu", [input([3, 3])], { domain: MICROSOFT }),
  single("GroupNorm", [input([2, 3, 3, 4]), input([4]), input([4])], {
    domain: MICROSOFT,
    attributes: { groups: 2 },
    expected: ["float32 [2, 3, 3, 4]"],
  }),
  single("RotaryEmbedding", [input([1, 3, 8]), constant([0]), input([4, 2]), input([4, 2])], {
    domain: MICROSOFT,
    attributes: { num_heads: 2 },
  }),
  single("QLinearSigmoid", [input([2, 3], "uint8"), ...half, ...half], { domain: MICROSOFT }),
  single("QLinearLeakyRelu", [input([2, 3], "uint8"), ...half, ...half], { domain: MICROSOFT }),
  single("QLinearSoftmax", [input([2, 3], "uint8"), ...half, ...half], {
    domain: MICROSOFT,
    attributes: { opset: 13 },
  }),

  ...BINARY.map((name) => single(name, [input([2, 1, 3]), input(name === "PRelu" ? [3] : [4, 1])])),
  ...["And", "Or", "Xor"].map((name) => single(name, [input([2, 1], "bool"), input([3], "bool")])),
  ...["Max", "Mean", "Min", "Sum"].map((name) => single(name, [input([2, 1]), input([3]), input([])])),
  ...["BitwiseAnd", "BitwiseOr", "BitwiseXor"].map((name) =>
    single(name, [input([2, 1], "int32"), input([3], "int32")]),
  ),
  single("BitShift", [input([2, 1], "uint8"), input([3], "uint8")], { attributes: { direction: "LEFT" } }),
  single("Mod", [input([2, 3]), input([3])], { attributes: { fmod: 1 } }),
  single("Add", [input([2, 3, 4]), input([3])], {
    title: "Add that broadcasts along an axis, as before operator set 7",
    opset: 6,
    attributes: { broadcast: 1, axis: 1 },
    expected: ["float32 [2, 3, 4]"],
  }),
  single("QLinearAdd", [input([2, 1], "uint8"), ...half, input([3], "uint8"), ...half, ...half], { domain: MICROSOFT }),
  single("QLinearMul", [input([2, 1], "uint8"), ...half, input([3], "uint8"), ...half, ...half], { domain: MICROSOFT }),
  single("Where", [input([2, 1], "bool"), input([3]), input([1, 1])]),
  single(
    "QLinearWhere",
    [input([2, 1], "bool"), input([3], "uint8"), ...half, input([1, 1], "uint8"), ...half, ...half],
    {
      domain: MICROSOFT,
    },
  ),

  single("Cast", [input([2, 3])], { attributes: { to: 7 } }),
  single("CastLike", [input([2, 3]), input([1], "int32")]),
  single("QuantizeLinear", [input([2, 3]), scalar(0.5, "float32")]),
  single("QuantizeLinear", [input([2, 3]), constant([0.5, 1, 2], "float32"), constant([0, 0, 0], "int8")], {
    title: "QuantizeLinear per channel",
  }),
  single("QuantizeLinear", [input([2, 3]), scalar(0.5, "float32")], {
    title: "QuantizeLinear to a named type",
    attributes: { output_dtype: 3 },
  }),
  single("DequantizeLinear", [input([2, 3], "uint8"), scalar(0.5, "float32")]),
  single("QuantizeLinear", [input([2, 3]), ...half], { domain: MICROSOFT }),
  single("DequantizeLinear", [input([2, 3], "uint8"), ...half], { domain: MICROSOFT }),
  single("DynamicQuantizeLinear", [input([2, 3])], { outputs: 3 }),
  single("Dropout", [input([2, 3])], { outputs: 2 }),
  single("Dropout", [input([2, 3])], { title: "Dropout whose mask has the data's type", opset: 9 }),
];
