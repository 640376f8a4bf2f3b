/** Rounding to a grid of codes, as ONNX operators. */
import type { Ops } from "../build/index.ts";
import type { Node, Value } from "../program/index.ts";
import { tensorOf } from "../tensor/index.ts";
import type { Lowering } from "./lowering.ts";

/** What a Quantized node says. */
interface Quantized {
  readonly x: Value;
  readonly scale: Value;
  /** Absent: 0. */
  readonly zeroPoint: Value | undefined;
  readonly noise: Value | undefined;
  readonly lowest: number;
  readonly highest: number;
}

/** Reads a node of the operator Quantized. */
export function quantizedOf(node: Node): Quantized {
  const [x, scale, zeroPoint, noise] = node.inputs;
  return { x: x!, scale: scale!, zeroPoint, noise, lowest: node.int("lowest", 0), highest: node.int("highest", 255) };
}

/** The zero point of codes in an integer type: that of the grid for unsigned ones, half of the codes more or less for others. */
export interface Codes {
  /** uint8 or int8, shaped as x. */
  readonly codes: Value;
  /** Of the codes' type, []. */
  readonly zeroPoint: Value;
  /** float32 [] */
  readonly scale: Value;
}

/** Whether codes of the node fit one byte, on one scale for the tensor. */
export function hasByteCodes(node: Node, ops: Ops): boolean {
  const { lowest, highest, scale, zeroPoint, x } = quantizedOf(node);
  const isScalar = (value: Value): boolean => ops.shapeOf(value).length === 0;
  return x.dtype === "float32" && highest - lowest <= 255 && isScalar(scale) && (!zeroPoint || isScalar(zeroPoint));
}

/**
 * Writes the codes of a Quantized node as bytes. They saturate as the node's numbers do.
 *
 * A code q of the node is stored as q in its own range of codes, moved to the type's: symmetric ones by 128 for uint8, unsigned ones
 * by -128 for int8.
 */
export function byteCodes(ops: Ops, node: Node, type: "uint8" | "int8"): Codes {
  const { scale, zeroPoint, lowest, highest } = quantizedOf(node);
  const shift = type === "uint8" ? (lowest < 0 ? 128 : 0) : lowest < 0 ? 0 : -128;
  const known = zeroPoint?.constant && ops.numbersOf(zeroPoint)?.[0];
  const stored =
    known !== undefined
      ? ops.constant(tensorOf(type, [], [known + shift]))
      : zeroPoint
        ? ops.cast(shift === 0 ? zeroPoint : ops.add(zeroPoint, shift), type)
        : ops.constant(tensorOf(type, [], [shift]));
  const codes = ops.emit("QuantizeLinear", [noisy(ops, node), scale, stored]);
  if (highest - lowest === 255) return { codes, zeroPoint: stored, scale };
  const bound = (code: number): Value => ops.constant(tensorOf(type, [], [code + shift]));
  return { codes: ops.emit("Clip", [codes, bound(lowest), bound(highest)]), zeroPoint: stored, scale };
}

/** x + noise scale, the noise as often as it takes. */
function noisy(ops: Ops, node: Node): Value {
  const { x, noise, scale } = quantizedOf(node);
  if (!noise) return x;
  const shape = ops.shapeOf(x);
  return ops.reshape(ops.add(inRows(ops, x, noise), ops.mul(noise, scale)), shape);
}

/** x [n k, ...rest] as [n, k, ...rest] for noise [k, ...rest]. */
function inRows(ops: Ops, x: Value, noise: Value): Value {
  const [rows = 1, ...rest] = ops.shapeOf(noise);
  return ops.shapeOf(x)[0] === rows ? x : ops.reshape(x, [-1, rows, ...rest]);
}

/** x-hat from codes of one byte where they are on one scale and the device has them, else in float arithmetic. */
const quantized: Lowering = (node, ops, { device }) => {
  if ((device === "cpu" || device === "wasm") && hasByteCodes(node, ops)) {
    const { codes, scale, zeroPoint } = byteCodes(ops, node, "uint8");
    return [ops.emit("DequantizeLinear", [codes, scale, zeroPoint])];
  }
  const { x, scale, zeroPoint, noise, lowest, highest } = quantizedOf(node);
  const divided = ops.div(x, scale);
  const shifted = noise ? ops.reshape(ops.add(inRows(ops, divided, noise), noise), ops.shapeOf(x)) : divided;
  const rounded = ops.round(shifted);
  const [low, high] = zeroPoint ? [ops.sub(lowest, zeroPoint), ops.sub(highest, zeroPoint)] : [lowest, highest];
  // Not Clip: its limits must be scalars.
  return [ops.mul(ops.min(ops.max(rounded, low), high), scale)];
};

export const quantization: Readonly<Record<string, Lowering>> = { "modicum:Quantized": quantized };
