/** Values as codes of one byte, and their product. */
import type { Ops } from "../../build/index.ts";
import { type Node, staticShape, type Value } from "../../program/index.ts";
import { Tensor } from "../../tensor/index.ts";
import { byteCodes, type Codes, channelsLastCodes, hasByteCodes } from "../quantized.ts";
import { keyOf } from "../without-kernel.ts";

/** What stands for a node's outputs; undefined where it stays as it is. */
export type Lowered = readonly Value[] | undefined;

/** Returns s_a (q_a - z_a) s_b (q_b - z_b) + bias in float: the engine adds up integers and scales once. */
export function multiplyCodes(ops: Ops, a: Codes, b: Codes, bias?: Value): Value {
  const inputs = [a.codes, b.codes, a.scale, b.scale, a.zeroPoint, b.zeroPoint, bias];
  return ops.emit("MatMulIntegerToFloat", inputs, {}, { domain: "com.microsoft" });
}

/** Operators that move numbers without looking at them, the same for codes. */
const MOVES = new Set(["Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity", "Slice"]);

/** Returns what writes the codes of a value; undefined where it has none. */
export function codesOf(ops: Ops, value: Value, type: "uint8" | "int8"): (() => Codes) | undefined {
  const node = value.producer;
  if (!node) return undefined;
  if (keyOf(node) === "modicum:Quantized")
    return hasByteCodes(node, ops) ? () => byteCodes(ops, node, type) : undefined;
  if (node.domain !== "" || !MOVES.has(node.operator)) return undefined;
  const before = codesOf(ops, node.input(0), type);
  if (!before) return undefined;
  return () => {
    const moved = before();
    const inputs = [moved.codes, ...node.inputs.slice(1)];
    return { ...moved, codes: ops.emit(node.operator, inputs, Object.fromEntries(node.attributes)) };
  };
}

/**
 * Returns what writes the codes of pictures, uint8 with channels last, [batch, height, width, channels]; undefined where a value has none.
 */
export function pictureCodesOf(ops: Ops, value: Value): (() => Codes) | undefined {
  const node = value.producer;
  if (!node || staticShape(value)?.length !== 4) return undefined;
  if (keyOf(node) === "modicum:Quantized") {
    return hasByteCodes(node, ops) ? () => channelsLastCodes(ops, node, "uint8") : undefined;
  }
  const known = writtenCodes(node);
  return known && (() => known);
}

/** Writes the numbers of pictures' codes: [batch, height, width, channels] -> [batch, channels, height, width]. */
export function pictureOf(ops: Ops, { codes, scale, zeroPoint }: Codes): Value {
  return ops.transpose(ops.emit("DequantizeLinear", [codes, scale, zeroPoint]), [0, 3, 1, 2]);
}

/** The codes that `pictureOf` was given. */
export function writtenCodes(node: Node | undefined): Codes | undefined {
  const from =
    node?.operator === "Transpose" && node.ints("perm")?.join() === "0,3,1,2" ? node.input(0).producer : undefined;
  if (from?.operator !== "DequantizeLinear" || from.domain !== "" || from.attributes.size > 0) return undefined;
  const [codes, scale, zeroPoint] = from.inputs;
  return codes && scale && zeroPoint && { codes, scale, zeroPoint };
}

/** The same numbers as int8: both codes and zero point are 128 less. Conversion of bytes takes a fraction of rounding floats again. */
export function signed(ops: Ops, { codes, scale, zeroPoint }: Codes): Codes {
  // 255 + 128 wraps around to 127: what int8 calls -1 is 255.
  const half = ops.constant(new Tensor("uint8", [], Uint8Array.of(128)));
  const less = (value: Value): Value => ops.cast(ops.add(value, half), "int8");
  return { codes: less(codes), zeroPoint: less(zeroPoint), scale };
}
