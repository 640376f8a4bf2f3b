/** Values as codes of one byte, and their product. */
import type { Ops } from "../../build/index.ts";
import type { Value } from "../../program/index.ts";
import { byteCodes, type Codes, hasByteCodes } from "../quantized.ts";
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
