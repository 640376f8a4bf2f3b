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
  return codesOfGrid(ops, quantizedOf(node), type);
}

/** The same for pictures, with channels last: x [batch, channels, height, width] -> codes [batch, height, width, channels]. */
export function channelsLastCodes(ops: Ops, node: Node, type: "uint8" | "int8"): Codes {
  const { x, noise, ...grid } = quantizedOf(node);
  const turned = (value: Value): Value => ops.transpose(value, [0, 2, 3, 1]);
  return codesOfGrid(ops, { ...grid, x: turned(x), noise: noise && turned(noise) }, type);
}

/** What a code of an integer type is to a grid. */
export function gridOf(
  ops: Ops,
  { scale, zeroPoint, lowest }: Quantized,
  type: "uint8" | "int8",
): Omit<Codes, "codes"> {
  const shift = shiftOf(lowest, type);
  const known = zeroPoint?.constant && ops.numbersOf(zeroPoint)?.[0];
  const stored =
    known !== undefined
      ? ops.constant(tensorOf(type, [], [known + shift]))
      : zeroPoint
        ? ops.cast(shift === 0 ? zeroPoint : ops.add(zeroPoint, shift), type)
        : ops.constant(tensorOf(type, [], [shift]));
  return { scale, zeroPoint: stored };
}

function shiftOf(lowest: number, type: "uint8" | "int8"): number {
  return type === "uint8" ? (lowest < 0 ? 128 : 0) : lowest < 0 ? 0 : -128;
}

function codesOfGrid(ops: Ops, quantized: Quantized, type: "uint8" | "int8"): Codes {
  const { lowest, highest } = quantized;
  const { scale, zeroPoint } = gridOf(ops, quantized, type);
  const codes = ops.emit("QuantizeLinear", [noisy(ops, quantized), scale, zeroPoint]);
  if (highest - lowest === 255) return { codes, zeroPoint, scale };
  const bound = (code: number): Value => ops.constant(tensorOf(type, [], [code + shiftOf(lowest, type)]));
  return { codes: ops.emit("Clip", [codes, bound(lowest), bound(highest)]), zeroPoint, scale };
}

/** x + noise scale, the noise as often as it takes. */
function noisy(ops: Ops, { x, noise, scale }: Quantized): Value {
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
