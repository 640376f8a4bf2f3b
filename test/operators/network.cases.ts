/** Cases of the operators that networks spend their time in: convolution, pooling, products, recurrence, attention. */
import { constant, input, type OperatorCase, scalar, single } from "./operator-case.ts";

const MICROSOFT = "com.microsoft";
const image = [1, 4, 9, 7];
const scale = scalar(0.5, "float32");
const zero = scalar(3, "uint8");
const signedZero = scalar(0, "int8");

/** Convolution and pooling. */
const windows: readonly OperatorCase[] = [
  // 8 outputs at 4 * 3 places, each a sum over 4 * 3 * 3.
  single("Conv", [input(image), input([8, 4, 3, 3])], {
    attributes: { strides: [2, 2] },
    macs: 8 * 4 * 3 * 36,
  }),
  single("Conv", [input(image), input([8, 2, 3, 3])], {
    title: "Conv with groups, dilations and pads",
    attributes: { group: 2, dilations: [2, 1], pads: [1, 0, 2, 1] },
    macs: 8 * 8 * 6 * 18,
  }),
  ...["SAME_UPPER", "SAME_LOWER", "VALID"].map((mode) =>
    single("Conv", [input(image), input([8, 4, 3, 2])], {
      title: `Conv with auto_pad ${mode}`,
      attributes: { auto_pad: mode, strides: [2, 3] },
    }),
  ),
  single("Conv", [input([1, 4, 9]), input([8, 4, 3])], { title: "Conv in one dimension", macs: 8 * 7 * 12 }),
  single("FusedConv", [input(image), input([8, 4, 3, 3])], {
    domain: MICROSOFT,
    attributes: { activation: "Relu" },
    macs: 8 * 7 * 5 * 36,
  }),
  single("ConvInteger", [input(image, "uint8"), input([8, 4, 3, 3], "uint8")], { macs: 8 * 7 * 5 * 36 }),
  single("QLinearConv", [input(image, "uint8"), scale, zero, constantWeights(), scale, signedZero, scale, zero], {
    macs: 8 * 7 * 5 * 36,
  }),
  single(
    "QLinearConv",
    [input([1, 9, 7, 4], "uint8"), scale, zero, constantWeights(), scale, signedZero, scale, zero],
    {
      domain: MICROSOFT,
      attributes: { channels_last: 1 },
      macs: 8 * 7 * 5 * 36,
    },
  ),
  // Each of the 4 * 9 * 7 inputs is spread over 5 * 3 * 3.
  single("ConvTranspose", [input(image), input([4, 5, 3, 3])], {
    attributes: { strides: [2, 3], output_padding: [1, 0], pads: [1, 0, 1, 1] },
    macs: 4 * 9 * 7 * 45,
  }),
  single("ConvTranspose", [input(image), input([4, 5, 3, 3])], {
    title: "ConvTranspose with auto_pad",
    attributes: { strides: [2, 3], auto_pad: "SAME_UPPER" },
  }),
  single("ConvTranspose", [input(image), input([4, 5, 3, 3])], {
    title: "ConvTranspose with output_shape",
    attributes: { strides: [2, 2], output_shape: [19, 15] },
  }),
  single("DeformConv", [input([1, 2, 4, 4]), input([3, 2, 2, 2]), input([1, 8, 3, 3])], { macs: 3 * 9 * 8 }),
  ...["AveragePool", "LpPool", "MaxPool"].map((name) =>
    single(name, [input(image)], { attributes: { kernel_shape: [3, 2], strides: [2, 2], pads: [1, 0, 1, 1] } }),
  ),
  single("MaxPool", [input(image)], {
    title: "MaxPool with ceil_mode and positions",
    attributes: { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1, pads: [0, 0, 1, 1] },
    outputs: 2,
  }),
  ...["GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool"].map((name) => single(name, [input(image)])),
  single("QLinearAveragePool", [input(image, "uint8"), scale, zero, scale, zero], {
    domain: MICROSOFT,
    attributes: { kernel_shape: [2, 2] },
  }),
  single("QLinearAveragePool", [input([1, 9, 7, 4], "uint8"), scale, zero, scale, zero], {
    title: "QLinearAveragePool with channels last",
    domain: MICROSOFT,
    attributes: { kernel_shape: [2, 2], channels_last: 1 },
  }),
  ...[0, 1].map((last) =>
    single("QLinearGlobalAveragePool", [input(image, "uint8"), scale, zero, scale, zero], {
      title: `QLinearGlobalAveragePool, channels last ${last}`,
      domain: MICROSOFT,
      attributes: { channels_last: last },
    }),
  ),
  single("MaxUnpool", [input([1, 1, 2, 2]), constant([0, 2, 8, 10], "int64", [1, 1, 2, 2])], {
    attributes: { kernel_shape: [2, 2], strides: [2, 2] },
  }),
  single("RoiAlign", [input(image), input([3, 4]), constant([0, 0, 0])], {
    attributes: { output_height: 2, output_width: 3 },
  }),
  single("MaxRoiPool", [input(image), constant([0, 0, 0, 3, 3], "float32", [1, 5])], {
    attributes: { pooled_shape: [2, 3] },
  }),
  single("Col2Im", [input([1, 4, 12]), constant([5, 4]), constant([2, 2])], {
    attributes: { pads: [0, 0, 0, 0], strides: [1, 1] },
  }),
];

function constantWeights(): ReturnType<typeof constant> {
  return constant(new Array<number>(8 * 36).fill(1), "int8", [8, 4, 3, 3]);
}

/** Matrix products. */
const products: readonly OperatorCase[] = [
  single("MatMul", [input([2, 1, 3, 4]), input([5, 4, 6])], { macs: 2 * 5 * 3 * 6 * 4 }),
  single("MatMul", [input([4]), input([4, 6])], { title: "MatMul of a vector", macs: 24 }),
  single("MatMul", [input([3, 4]), input([4])], { title: "MatMul by a vector", macs: 12 }),
  single("MatMulInteger", [input([3, 4], "uint8"), input([4, 6], "int8")], { macs: 72 }),
  single("QLinearMatMul", [input([3, 4], "uint8"), scale, zero, input([4, 6], "uint8"), scale, zero, scale, zero], {
    macs: 72,
  }),
  single("MatMulInteger16", [input([3, 4], "int16"), input([4, 6], "int16")], {
    domain: MICROSOFT,
    expected: ["int32 [3, 6]"],
    macs: 72,
  }),
  single("DynamicQuantizeMatMul", [input([3, 4]), input([4, 6], "int8"), scale], { domain: MICROSOFT, macs: 72 }),
  single("MatMulIntegerToFloat", [input([3, 4], "uint8"), input([4, 6], "int8"), scale, scale], {
    domain: MICROSOFT,
    macs: 72,
  }),
  single("FusedMatMul", [input([2, 4, 3]), input([6, 4])], {
    domain: MICROSOFT,
    attributes: { transA: 1, transB: 1 },
    macs: 144,
  }),
  single("TransposeMatMul", [input([2, 4, 3]), input([4, 6])], {
    domain: MICROSOFT,
    attributes: { transA: 1 },
    macs: 144,
  }),
  single("MatMulNBits", [input([3, 32]), input([6, 1, 16], "uint8"), input([6])], {
    domain: MICROSOFT,
    attributes: { K: 32, N: 6, bits: 4, block_size: 32 },
    macs: 3 * 32 * 6,
  }),
  ...["MatMulBnb4", "MatMulFpQ4"].map((name) =>
    single(name, [input([3, 32]), input([96], "uint8"), input([6])], {
      domain: MICROSOFT,
      attributes: { K: 32, N: 6 },
      expected: ["float32 [3, 6]"],
      macs: 3 * 32 * 6,
    }),
  ),
  single("Gemm", [input([4, 3]), input([6, 4]), input([6])], { attributes: { transA: 1, transB: 1 }, macs: 72 }),
  single("FusedGemm", [input([3, 4]), input([4, 6])], {
    domain: MICROSOFT,
    attributes: { activation: "Relu" },
    macs: 72,
  }),
  single("QGemm", [input([3, 4], "uint8"), scale, zero, input([4, 6], "uint8"), scale, zero, undefined, scale, zero], {
    domain: MICROSOFT,
    macs: 72,
  }),
  single("QGemm", [input([3, 4], "uint8"), scale, zero, input([4, 6], "uint8"), scale, zero], {
    title: "QGemm to float",
    domain: MICROSOFT,
    macs: 72,
  }),
  single("Einsum", [input([2, 3, 4]), input([2, 4, 5])], { attributes: { equation: "bij,bjk->bik" }, macs: 120 }),
  single("Einsum", [input([6, 2, 3, 4]), input([6, 2, 4, 5])], {
    title: "Einsum with an ellipsis",
    attributes: { equation: "...ij, ...jk -> ...ik" },
    macs: 6 * 2 * 60,
  }),
  single("Einsum", [input([3, 4]), input([4, 2])], {
    title: "Einsum without an output",
    attributes: { equation: "ij,jk" },
  }),
  single("Det", [input([5, 3, 3])]),
];

/** Normalization, recurrence and attention. */
const layers: readonly OperatorCase[] = [
  single("BatchNormalization", [input(image), input([4]), input([4]), input([4]), input([4])]),
  single("BatchNormalization", [input(image), input([4]), input([4]), input([4]), input([4])], {
    title: "BatchNormalization in training",
    attributes: { training_mode: 1 },
    outputs: 3,
  }),
  single("LayerNormalization", [input([2, 3, 4]), input([3, 4])], { attributes: { axis: 1 }, outputs: 3 }),
  single("SimplifiedLayerNormalization", [input([2, 3, 4]), input([4])], { opset: 17 }),
  ...["LayerNormalization", "SimplifiedLayerNormalization"].map((name) =>
    single(name, [input([2, 3, 4]), input([4])], { domain: MICROSOFT, expected: ["float32 [2, 3, 4]"] }),
  ),
  ...["SkipLayerNormalization", "SkipSimplifiedLayerNormalization"].map((name) =>
    single(name, [input([2, 3, 4]), input([2, 3, 4]), input([4])], { domain: MICROSOFT }),
  ),
  single(
    "EmbedLayerNormalization",
    [
      input([2, 3], "int32"),
      input([2, 3], "int32"),
      input([5, 4]),
      input([3, 4]),
      input([2, 4]),
      input([4]),
      input([4]),
    ],
    { domain: MICROSOFT, outputs: 2 },
  ),
  // 5 steps of 2 sequences, each by W and R: gates * 4 * (3 + 4) numbers.
  ...[
    ["RNN", 1],
    ["GRU", 3],
    ["LSTM", 4],
  ].map(([name, gates]) =>
    single(
      name as string,
      [input([5, 2, 3]), input([1, (gates as number) * 4, 3]), input([1, (gates as number) * 4, 4])],
      { attributes: { hidden_size: 4 }, outputs: name === "LSTM" ? 3 : 2, macs: 10 * (gates as number) * 28 },
    ),
  ),
  single("LSTM", [input([5, 2, 3]), input([2, 16, 3]), input([2, 16, 4])], {
    title: "LSTM in both directions",
    attributes: { hidden_size: 4, direction: "bidirectional" },
    outputs: 3,
    macs: 10 * 2 * 112,
  }),
  single(
    "DynamicQuantizeLSTM",
    [
      input([5, 2, 3]),
      constant(new Array<number>(48).fill(1), "int8", [1, 3, 16]),
      constant(new Array<number>(64).fill(1), "int8", [1, 4, 16]),
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      constant([0.5], "float32"),
      constant([0], "int8"),
      constant([0.5], "float32"),
      constant([0], "int8"),
    ],
    { domain: MICROSOFT, attributes: { hidden_size: 4 }, outputs: 3, macs: 10 * 112 },
  ),
  // 2 heads of 3 queries and 5 keys, channels 4 and 6.
  single("Attention", [input([1, 2, 3, 4]), input([1, 2, 5, 4]), input([1, 2, 5, 6])], {
    opset: 23,
    macs: 2 * 15 * 10,
  }),
  single("Attention", [input([1, 3, 8]), input([1, 5, 8]), input([1, 5, 12])], {
    title: "Attention with heads side by side",
    opset: 23,
    attributes: { q_num_heads: 2, kv_num_heads: 2 },
    macs: 2 * 15 * 10,
  }),
  single("MultiHeadAttention", [input([1, 3, 8]), input([1, 5, 8]), input([1, 5, 8])], {
    domain: MICROSOFT,
    attributes: { num_heads: 2 },
    macs: 2 * 15 * 8,
  }),
  single(
    "GroupQueryAttention",
    [
      input([1, 3, 16]),
      input([1, 3, 8]),
      input([1, 3, 8]),
      undefined,
      undefined,
      constant([2], "int32", [1]),
      scalar(3, "int32"),
    ],
    { domain: MICROSOFT, attributes: { num_heads: 2, kv_num_heads: 1 }, outputs: 3, partial: true, macs: 2 * 48 * 3 },
  ),
  // Projection 3 * 8 * 24, then 2 * 3 * 3 * 8.
  single("Attention", [input([1, 3, 8]), input([8, 24]), input([24])], {
    domain: MICROSOFT,
    attributes: { num_heads: 2 },
    macs: 576 + 144,
  }),
  single(
    "QAttention",
    [input([1, 3, 8], "uint8"), input([8, 24], "uint8"), input([24]), scale, scale, undefined, zero, zero],
    { domain: MICROSOFT, attributes: { num_heads: 2 }, macs: 576 + 144 },
  ),
  ...["NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"].flatMap((name) =>
    ["none", "mean"].map((reduction) =>
      single(name, [input([2, 3, 4]), input([2, 4], "int64")], {
        title: `${name}, reduction ${reduction}`,
        attributes: { reduction },
        outputs: name.startsWith("Softmax") ? 2 : 1,
      }),
    ),
  ),
];

/** Operators of networks. */
export const networkCases: readonly OperatorCase[] = [...windows, ...products, ...layers];
