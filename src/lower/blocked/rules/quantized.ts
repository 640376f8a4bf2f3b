/** Rounding to a grid of one scale: the same for every element, wherever it lies. */
import { staticShape, type Value } from "../../../program/index.ts";
import type { BlockedRule } from "../blocked-rule.ts";

/** x-hat of a blocked x. Noise comes into blocks too, so that each element meets its own number. */
const quantized: BlockedRule = ({ node, ops, isBlocked, blocked, canBlock, mark }) => {
  const [x, scale, zeroPoint, noise] = node.inputs as [Value, Value, Value | undefined, Value | undefined];
  const isScalar = (value: Value | undefined): boolean => value === undefined || staticShape(value)?.length === 0;
  if (!isBlocked(x) || !isScalar(scale) || !isScalar(zeroPoint) || (noise && !canBlock(noise))) return undefined;
  const inputs = [x, scale, zeroPoint, noise && blocked(noise)];
  return [mark(ops.emit("Quantized", inputs, Object.fromEntries(node.attributes), { domain: "modicum" }))];
};

export const quantization: Readonly<Record<string, BlockedRule>> = { "modicum:Quantized": quantized };
