/** What became of a network's products, in a line. */
import type { TrainStep } from "../train/index.ts";

/** Layers that are named before the rest is counted. */
const NAMED = 4;

/** Says which products are computed in 8 bits and which stay in float; undefined for a step without such a precision. */
export function precisionText({ precision }: Pick<TrainStep, "precision">): string | undefined {
  if (!precision) return undefined;
  const { quantized, float } = precision;
  const shown = (nodes: typeof float): string => {
    const paths = nodes.slice(0, NAMED).map(({ name, operator }) => name || operator);
    return [...paths, ...(nodes.length > NAMED ? [`${nodes.length - NAMED} more`] : [])].join(", ");
  };
  const count = `${quantized.length} ${quantized.length === 1 ? "product" : "products"} in 8 bits`;
  return `${count}${float.length > 0 ? `; in float: ${shown(float)}` : ""}`;
}
