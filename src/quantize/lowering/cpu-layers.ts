/** Layers as integer operators of ONNX Runtime's CPU and WebAssembly builds. */
import { Node } from "../../program/index.ts";
import type { ChannelWeights } from "../quantized-weights.ts";
import type { IntegerEmitter } from "./integer-emitter.ts";
import type { QuantizedLayer } from "./plan.ts";
import { floatBias, integerBias, integerWeights, weightScales, weightZeroPoint } from "./weight-constants.ts";

/** Writes one layer whose input is quantized; a convolution's result is too. */
export type LayerRule = (quantized: QuantizedLayer<ChannelWeights>, integers: IntegerEmitter) => void;

/** Conv as QLinearConv: codes in, codes out; ReLU and Clip happen by saturation. */
export const integerConv: LayerRule = (quantized, integers) => {
  const { layer } = quantized;
  const { emitter } = integers;
  const result = integers.stored(layer.output)!;
  const input = integers.grid(layer.input)!;
  const summed = rescaled(quantized, input.channelScales, (scale, factor) => scale * factor);
  const stored = rescaled(summed, integers.grid(result)!.channelScales, (scale, factor) => scale / factor);
  const inputs = [
    integers.codes(layer.input),
    ...integers.quantization(layer.input),
    integerWeights(emitter, quantized),
    weightScales(emitter, stored),
    weightZeroPoint(emitter),
    ...integers.quantization(result),
    integerBias(emitter, summed, input.scale),
  ];
  const node = new Node("QLinearConv", inputs, [integers.newCodes(result)], { name: layer.node.name });
  for (const [name, attribute] of layer.node.attributes) node.attributes.set(name, attribute);
  emitter.append(node);
};

/**
 * The layer with the scale of each output channel's weights changed by the scale of a channel: of its own result, or, in a
 * depthwise convolution, of the input channel it reads.
 */
function rescaled(
  quantized: QuantizedLayer<ChannelWeights>,
  channelScales: Float32Array | undefined,
  change: (scale: number, factor: number) => number,
): QuantizedLayer<ChannelWeights> {
  if (!channelScales) return quantized;
  const { weights } = quantized;
  const grids = weights.grids.map((grid, output) => {
    const channel = Math.floor((output * channelScales.length) / weights.grids.length);
    return { ...grid, scale: Math.fround(change(grid.scale, channelScales[channel]!)) };
  });
  return { ...quantized, weights: { ...weights, grids } };
}

/** Gemm as QGemm: codes in; codes out where the result is quantized, floats otherwise (logits). */
export const integerGemm: LayerRule = (quantized, integers) => {
  const { layer } = quantized;
  const { emitter } = integers;
  const result = integers.stored(layer.output);
  const inputs = [
    integers.codes(layer.input),
    ...integers.quantization(layer.input),
    integerWeights(emitter, quantized),
    weightScales(emitter, quantized),
    weightZeroPoint(emitter, quantized.channels),
    integerBias(emitter, quantized, integers.grid(layer.input)!.scale),
    ...(result ? integers.quantization(result) : []),
  ];
  const attributes = { transA: layer.node.int("transA", 0), transB: layer.node.int("transB", 0), alpha: { float: 1 } };
  const output = result ? integers.newCodes(result) : layer.output;
  emitter.append(new Node("QGemm", inputs, [output], { domain: "com.microsoft", name: layer.node.name, attributes }));
};

/** MatMul of any rank as MatMulIntegerToFloat: codes in, floats out, the bias added in float. */
export const integerMatMul: LayerRule = (quantized, integers) => {
  const { layer } = quantized;
  const { emitter } = integers;
  const [inputScale, inputZeroPoint] = integers.quantization(layer.input);
  const inputs = [
    integers.codes(layer.input),
    integerWeights(emitter, quantized),
    inputScale,
    weightScales(emitter, quantized),
    inputZeroPoint,
    undefined,
    floatBias(emitter, quantized),
  ];
  emitter.append(
    new Node("MatMulIntegerToFloat", inputs, [layer.output], { domain: "com.microsoft", name: layer.node.name }),
  );
};
