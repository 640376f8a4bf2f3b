/** Turning codes of an activation into numbers, in a graph. */
import { type EmitOptions, type Emitter, Node, Value } from "../program/index.ts";
import { float32, Tensor } from "../tensor/index.ts";
import type { ActivationGrid } from "./grid.ts";

/**
 * Emits nodes that make of codes what they stand for: the value given, or else a new one, which is returned. Scales of channels are multiplied afterwards: ONNX Runtime 1.30 takes a DequantizeLinear per
 * channel for part of an integer operator, which it then refuses to load.
 */
export function emitDequantized(
  emitter: Emitter,
  codes: Value,
  grid: ActivationGrid,
  numbers: Value = new Value("numbers", "float32", codes.shape),
): Value {
  const { channelScales } = grid;
  const inputs = [codes, scaleConstant(emitter, grid), zeroPointConstant(emitter, grid)];
  if (!channelScales) {
    emitter.append(new Node("DequantizeLinear", inputs, [numbers]));
    return numbers;
  }
  const shares = emitter.emit("DequantizeLinear", inputs, { dtype: "float32", shape: codes.shape });
  emitter.append(new Node("Mul", [shares, factorsConstant(emitter, channelScales, codes)], [numbers]));
  return numbers;
}

/** Emits the codes of numbers. */
export function emitQuantized(emitter: Emitter, numbers: Value, grid: ActivationGrid, options: EmitOptions): Value {
  const { channelScales } = grid;
  const divided = channelScales
    ? emitter.emit("Div", [numbers, factorsConstant(emitter, channelScales, numbers)], { dtype: "float32" })
    : numbers;
  const inputs = [divided, scaleConstant(emitter, grid), zeroPointConstant(emitter, grid)];
  return emitter.emit("QuantizeLinear", inputs, options);
}

/** Returns a grid's scale as a constant. */
export function scaleConstant(emitter: Emitter, { scale }: ActivationGrid): Value {
  return emitter.constant("scale", float32([], [scale]));
}

/** Returns a grid's zero point as a constant. */
export function zeroPointConstant(emitter: Emitter, { zeroPoint }: ActivationGrid): Value {
  return emitter.constant("zero_point", new Tensor("uint8", [], Uint8Array.of(zeroPoint)));
}

/** The scales of channels, along axis 1 of a value. */
function factorsConstant(emitter: Emitter, channelScales: Float32Array, { shape }: Value): Value {
  const lengths = shape!.map((_, axis) => (axis === 1 ? channelScales.length : 1));
  return emitter.constant("channel_scales", float32(lengths, channelScales));
}
