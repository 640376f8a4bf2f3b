/** Windows as numbers: what `auto_pad` means for shapes that are known. */
import type { Node } from "../../program/index.ts";

/** Returns a window's pads, beginnings then ends, whatever way the node gives them. */
export function resolvedPads(node: Node, lengths: readonly number[], kernel: readonly number[]): number[] {
  const mode = node.string("auto_pad", "NOTSET");
  const rank = kernel.length;
  const strides = node.ints("strides") ?? new Array<number>(rank).fill(1);
  const dilations = node.ints("dilations") ?? new Array<number>(rank).fill(1);
  if (mode === "NOTSET" || mode === "") return node.ints("pads") ?? new Array<number>(2 * rank).fill(0);
  if (mode === "VALID") return new Array<number>(2 * rank).fill(0);
  const total = lengths.map((length, axis) => {
    const places = Math.ceil(length / strides[axis]!);
    return Math.max(0, (places - 1) * strides[axis]! + (kernel[axis]! - 1) * dilations[axis]! + 1 - length);
  });
  const less = total.map((pad) => Math.floor(pad / 2));
  const more = total.map((pad) => Math.ceil(pad / 2));
  return mode === "SAME_UPPER" ? [...less, ...more] : [...more, ...less];
}
