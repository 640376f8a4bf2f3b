/** The constants of a layer's quantized weights, as the operators of each form take them. */
import type { Emitter, Value } from "../../program/index.ts";
import { dtypeCode, float32, Tensor, toFloat32 } from "../../tensor/index.ts";
import { type ChannelWeights, codesTensor, scalesTensor } from "../quantized-weights.ts";
import type { QuantizedLayer } from "./plan.ts";

const constants = new WeakMap<object, Value>();

/** Returns the constant that holds some numbers: the same one for the same array, however large, so that it is stored once. */
export function constantOnce(numbers: object, make: () => Value): Value {
  const known = constants.get(numbers);
  if (known) return known;
  const made = make();
  constants.set(numbers, made);
  return made;
}

/**
 * Returns the weights as an int8 value: a constant above 4 bits; up to 4 bits an int4 constant and a Cast, which ONNX
 * Runtime folds when it loads the model: half the file, the same int8 kernels.
 */
export function integerWeights(emitter: Emitter, { layer, weights }: QuantizedLayer<ChannelWeights>): Value {
  const codes = codesConstant(emitter, { layer, weights });
  if (weights.bits > 4) return codes;
  return emitter.emit("Cast", [codes], {
    attributes: { to: dtypeCode("int8") },
    output: `${layer.weight.name}_int8`,
    dtype: "int8",
  });
}

/** Returns the weights as a float value of their own type, dequantized from their codes by the model itself. */
export function dequantizedWeights(emitter: Emitter, quantized: QuantizedLayer<ChannelWeights>): Value {
  const { layer, weights } = quantized;
  const codes = codesConstant(emitter, quantized);
  const attributes = { axis: weights.channelAxis };
  const options = { attributes, output: `${layer.weight.name}_dequantized`, dtype: "float32" as const };
  const floats = emitter.emit("DequantizeLinear", [codes, weightScales(emitter, quantized)], options);
  const dtype = layer.weight.dtype!;
  if (dtype === "float32") return floats;
  // Scales of a narrower type would need a later opset, and lose digits.
  return emitter.emit("Cast", [floats], {
    attributes: { to: dtypeCode(dtype) },
    output: `${layer.weight.name}_cast`,
    dtype,
  });
}

/**
 * Returns the same by a Cast and a Mul, which ONNX Runtime folds when it loads the model: as fast as float weights on a CPU.
 * A DequantizeLinear it keeps, and runs every time.
 */
export function foldableWeights(emitter: Emitter, quantized: QuantizedLayer<ChannelWeights>): Value {
  const { layer, weights } = quantized;
  const dtype = layer.weight.dtype!;
  const codes = emitter.emit("Cast", [codesConstant(emitter, quantized)], {
    attributes: { to: dtypeCode("float32") },
    dtype: "float32",
  });
  const lengths = weights.shape.map((length, axis) => (axis === weights.channelAxis ? length : 1));
  const scales = float32(lengths, toFloat32(scalesTensor(weights)));
  const floats = emitter.emit("Mul", [codes, emitter.constant(`${layer.weight.name}_scale`, scales)], {
    output: `${layer.weight.name}_dequantized`,
    dtype: "float32",
  });
  if (dtype === "float32") return floats;
  return emitter.emit("Cast", [floats], { attributes: { to: dtypeCode(dtype) }, dtype });
}

type ChannelWeightsOf = Pick<QuantizedLayer<ChannelWeights>, "layer" | "weights">;

function codesConstant(emitter: Emitter, { layer, weights }: ChannelWeightsOf): Value {
  return constantOnce(weights.codes, () => emitter.constant(`${layer.weight.name}_quantized`, codesTensor(weights)));
}

/** Returns the scales of the output channels as a constant vector. */
export function weightScales(emitter: Emitter, { layer, weights }: ChannelWeightsOf): Value {
  return constantOnce(weights.grids, () => emitter.constant(`${layer.weight.name}_scale`, scalesTensor(weights)));
}

/** Returns the weights' zero point: always 0, int8; a scalar, or as many as there are scales. */
export function weightZeroPoint(emitter: Emitter, channels?: number): Value {
  const shape = channels === undefined ? [] : [channels];
  return emitter.constant("weight_zero_point", new Tensor("int8", shape, new Int8Array(channels ?? 1)));
}

/** A layer and what is to be added to its bias. */
export type BiasedLayer = Pick<QuantizedLayer, "layer" | "biasShift" | "channels">;

/** Returns the layer's float bias with its shift added, one number per output channel; undefined when there is neither. */
export function shiftedBias({ layer, biasShift, channels }: BiasedLayer): Float32Array | undefined {
  const bias = layer.bias?.constant && toFloat32(layer.bias.constant.load());
  if (!bias && !biasShift) return undefined;
  return Float32Array.from(
    { length: channels },
    (_, c) => (biasShift?.[c] ?? 0) + (bias ? bias[bias.length === 1 ? 0 : c]! : 0),
  );
}

/** Returns the bias in the integers the products are summed in: `round(bias / (inputScale * weightScale))`, int32. */
export function integerBias(
  emitter: Emitter,
  quantized: QuantizedLayer<ChannelWeights>,
  inputScale: number,
): Value | undefined {
  const bias = shiftedBias(quantized);
  if (!bias) return undefined;
  const { grids } = quantized.weights;
  const codes = Int32Array.from(bias, (shift, channel) => {
    const code = Math.round(shift / (inputScale * grids[channel]!.scale));
    return Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, code));
  });
  return emitter.constant(`${quantized.layer.weight.name}_bias`, new Tensor("int32", [codes.length], codes));
}

/** Returns the float bias as a constant; undefined when there is none. */
export function floatBias(emitter: Emitter, quantized: QuantizedLayer): Value | undefined {
  const bias = shiftedBias(quantized);
  return bias && emitter.constant(`${quantized.layer.weight.name}_bias`, float32([bias.length], bias));
}
