/** Every layer, with what pytorch_reference.py calls it. */
import { nn, Tensor } from "../../src/index.ts";
import { integers, type LayerCase } from "./layer-case.ts";
import { wave } from "./reference.ts";

const images = [2, 2, 6, 7];
const maps = [2, 3, 4, 5];
const words = [2, 3, 6];
const series = [2, 5, 3];

const memory = wave([2, 5, 6], 0.7);
const seen = new Tensor("bool", [2, 1, 1, 4], Uint8Array.of(1, 0, 1, 1, 0, 1, 1, 0));
const toMemory = nn.multiHeadAttention({ heads: 3 });
const withMask = nn.multiHeadAttention({ heads: 2 });

const shapedLayers: readonly LayerCase[] = [
  { title: "linear", layer: nn.linear(3), shape: [4, 5], refuses: ["linear", [5]] },
  { title: "linear of three axes", layer: nn.linear(3), shape: [2, 3, 5] },
  { title: "linear without bias", layer: nn.linear(3, { bias: false }), shape: [4, 5] },
  {
    title: "conv of two axes",
    layer: nn.conv({ channels: 6, kernel: [3, 2], stride: [2, 1], padding: [1, 0], dilation: [1, 2], groups: 2 }),
    shape: [2, 4, 6, 7],
    refuses: ["conv", [8, 28, 28]],
  },
  { title: "conv of one axis", layer: nn.conv({ channels: 4, kernel: [5], padding: "same" }), shape: [2, 3, 9] },
  {
    title: "conv with an even kernel",
    layer: nn.conv({ channels: 4, kernel: [4], padding: "same" }),
    shape: [2, 3, 9],
  },
  {
    title: "conv of three axes",
    layer: nn.conv({ channels: 3, kernel: [2, 2, 2], bias: false }),
    shape: [1, 2, 3, 4, 3],
    notOnWebGpu: "ONNX Runtime 1.30 has no transposed convolution of three axes there, which its gradient needs",
  },
  {
    title: "convTranspose of two axes",
    layer: nn.convTranspose({ channels: 6, kernel: 3, stride: 2, padding: 1, outputPadding: 1, groups: 2 }),
    shape: [2, 4, 3, 4],
    refuses: ["convTranspose", [4, 3, 4]],
  },
  {
    title: "convTranspose of one axis",
    layer: nn.convTranspose({ channels: 2, kernel: [4], stride: 3, dilation: 2, bias: false }),
    shape: [2, 3, 5],
  },
  {
    title: "maxPool",
    layer: nn.maxPool({ kernel: 3, stride: 2, padding: 1 }),
    shape: images,
    refuses: ["maxPool", [2, 6, 7]],
  },
  {
    title: "maxPool of one axis",
    layer: nn.maxPool({ kernel: [2], dilation: 2 }),
    shape: [2, 2, 9],
  },
  { title: "averagePool", layer: nn.averagePool({ kernel: 2 }), shape: images, refuses: ["averagePool", [2, 6, 7]] },
  { title: "averagePool with padding", layer: nn.averagePool({ kernel: 3, stride: 2, padding: 1 }), shape: images },
  {
    title: "averagePool without padding in the mean",
    layer: nn.averagePool({ kernel: 3, stride: 2, padding: 1, countPadding: false }),
    shape: images,
  },
  { title: "globalAveragePool", layer: nn.globalAveragePool(), shape: maps, refuses: ["globalAveragePool", [2, 3]] },
  { title: "flatten", layer: nn.flatten(), shape: maps, refuses: ["flatten", []] },
];

const normalizations: readonly LayerCase[] = [
  { title: "batchNorm", layer: nn.batchNorm(), shape: [4, 3, 2, 3], refuses: ["batchNorm", [4]] },
  {
    title: "batchNorm of vectors",
    layer: nn.batchNorm({ momentum: 0.3, epsilon: 1e-2, affine: false }),
    shape: [5, 3],
  },
  {
    title: "batchNorm in use",
    layer: nn.batchNorm(),
    shape: [4, 3, 2, 3],
    training: false,
    statistics: {
      runningMean: wave([3], 5),
      runningVariance: new Tensor(
        "float32",
        [3],
        Float32Array.from([6, 7, 8], (x) => 2 + Math.sin(x)),
      ),
    },
  },
  { title: "layerNorm", layer: nn.layerNorm(), shape: words, refuses: ["layerNorm", [6]] },
  { title: "layerNorm over two axes", layer: nn.layerNorm({ axes: 2, epsilon: 1e-2 }), shape: words },
  { title: "layerNorm without parameters", layer: nn.layerNorm({ scale: false }), shape: words },
  { title: "layerNorm without bias", layer: nn.layerNorm({ bias: false }), shape: words },
  { title: "rmsNorm", layer: nn.rmsNorm({ epsilon: 1e-3 }), shape: words, refuses: ["rmsNorm", [6]] },
  { title: "instanceNorm", layer: nn.instanceNorm(), shape: [2, 3, 4, 3], refuses: ["instanceNorm", [2, 3]] },
  { title: "instanceNorm with parameters", layer: nn.instanceNorm({ affine: true }), shape: [2, 3, 5] },
  { title: "groupNorm", layer: nn.groupNorm({ groups: 2 }), shape: [2, 4, 3, 3], refuses: ["groupNorm", [4]] },
  { title: "groupNorm of vectors", layer: nn.groupNorm({ groups: 2, affine: false }), shape: [3, 6] },
];

const sequenceLayers: readonly LayerCase[] = [
  {
    title: "embedding",
    layer: nn.embedding({ count: 7, features: 4 }),
    shape: [2, 3],
    input: integers([2, 3], [0, 3, 6, 3, 1, 3]),
  },
  {
    title: "multiHeadAttention",
    layer: nn.multiHeadAttention({ heads: 2 }),
    shape: [2, 4, 6],
    refuses: ["multiHeadAttention", [4, 6]],
  },
  { title: "causal multiHeadAttention", layer: nn.multiHeadAttention({ heads: 2, causal: true }), shape: [2, 4, 6] },
  {
    title: "multiHeadAttention to memory",
    layer: (x, scope) => toMemory(x, scope, { memory: scope.ops.cast(scope.ops.constant(memory), x.dtype!) }),
    shape: [2, 4, 6],
  },
  {
    title: "multiHeadAttention with a mask",
    layer: (x, scope) => withMask(x, scope, { mask: scope.ops.constant(seen) }),
    shape: [2, 4, 6],
  },
  {
    title: "transformerEncoderLayer with post-norm",
    layer: nn.transformerEncoderLayer({ heads: 2, feedForward: 8, dropout: 0 }),
    shape: words,
    refuses: ["transformerEncoderLayer", [3, 6]],
  },
  {
    title: "transformerEncoderLayer with pre-norm",
    layer: nn.transformerEncoderLayer({ heads: 2, feedForward: 8, dropout: 0, norm: "pre", activation: nn.gelu() }),
    shape: words,
  },
];

const recurrent: readonly LayerCase[] = [
  { title: "lstm", layer: nn.lstm({ features: 4 }), shape: series, refuses: ["lstm", [5, 3]] },
  { title: "lstm in both directions", layer: nn.lstm({ features: 4, direction: "bidirectional" }), shape: series },
  {
    title: "last state of an lstm",
    layer: nn.lstm({ features: 4, direction: "bidirectional", output: "last" }),
    shape: series,
  },
  { title: "gru", layer: nn.gru({ features: 4 }), shape: series, refuses: ["gru", [5, 3]] },
  { title: "gru in reverse", layer: nn.gru({ features: 4, direction: "reverse" }), shape: series },
  { title: "rnn", layer: nn.rnn({ features: 4 }), shape: series, refuses: ["rnn", [5, 3]] },
  { title: "rnn with relu", layer: nn.rnn({ features: 4, nonlinearity: "relu" }), shape: series },
];

const recurrentLayers = recurrent.map((one) => ({
  ...one,
  noDifferences: "ONNX Runtime's recurrent operators are in float32; their gradients are checked in test/gradients",
  notOnWebGpu: "the operators run on the processor there, and their gradients have so many nodes that it takes seconds",
}));

const scaled = wave([2, 3, 4], 0.1, 3);

const activations: readonly LayerCase[] = (
  [
    ["relu", nn.relu()],
    ["relu6", (x, scope) => nn.relu6()(scope.ops.mul(x, 4), scope)],
    ["leakyRelu", nn.leakyRelu()],
    ["leakyRelu with a slope", nn.leakyRelu({ negativeSlope: 0.2 })],
    ["elu", nn.elu()],
    ["elu with alpha", nn.elu({ alpha: 0.5 })],
    ["celu", nn.celu()],
    ["celu with alpha", nn.celu({ alpha: 0.5 })],
    ["selu", nn.selu()],
    ["gelu", nn.gelu()],
    ["gelu by tanh", nn.gelu({ approximate: "tanh" })],
    ["silu", nn.silu()],
    ["mish", nn.mish()],
    ["tanh", nn.tanh()],
    ["sigmoid", nn.sigmoid()],
    ["softplus", nn.softplus()],
    ["softsign", nn.softsign()],
    ["hardSigmoid", nn.hardSigmoid()],
    ["hardSwish", nn.hardSwish()],
    ["hardTanh", nn.hardTanh()],
    ["hardTanh with bounds", nn.hardTanh({ low: -0.5, high: 2 })],
    ["softmax", nn.softmax()],
    ["softmax along axis 1", nn.softmax({ axis: 1 })],
    ["logSoftmax", nn.logSoftmax()],
  ] as const satisfies readonly (readonly [string, LayerCase["layer"]])[]
).map(([title, layer]) => ({
  title,
  layer,
  shape: [2, 3, 4],
  input: scaled,
  notOnWebGpu: "their operators are run there by test/gradients-agreement.test.ts",
}));

const slopes: readonly LayerCase[] = [
  { title: "prelu", layer: nn.prelu(), shape: [2, 3, 4] },
  { title: "prelu per channel", layer: nn.prelu({ slopes: "channels" }), shape: [2, 3, 4], refuses: ["prelu", [4]] },
];

/** All layers. */
export const layerCases: readonly LayerCase[] = [
  ...shapedLayers,
  ...normalizations,
  ...sequenceLayers,
  ...recurrentLayers,
  ...activations,
  ...slopes,
];
