/** Windows as numbers: what `auto_pad` means for shapes that are known. */
import type { Node } from "../../program/index.ts";

/** Returns a window's pads, beginnings then ends, whatever way the node gives them. */
export function resolvedPads(node: Node, lengths: readonly number[], kernel: readonly number[]): number[] {
  const mode = node.string("auto_pad", "NOTSET");
  if (mode === "NOTSET" || mode === "") return node.ints("pads") ?? new Array<number>(2 * kernel.length).fill(0);
  if (mode === "VALID") return new Array<number>(2 * kernel.length).fill(0);
  const { strides, reach } = stepsOf(node, kernel);
  const total = lengths.map((length, axis) => {
    const places = Math.ceil(length / strides[axis]!);
    return Math.max(0, (places - 1) * strides[axis]! + reach[axis]! - length);
  });
  return halves(total, mode);
}

/**
 * Returns the pads of the convolution that a transposed one is the transpose of, beginnings then ends, and how many places of
 * each axis its windows reach: fewer than there are where output padding, or a large output shape, adds some.
 */
export function transposedPads(
  node: Node,
  lengths: readonly number[],
  kernel: readonly number[],
  places: readonly number[],
): { pads: number[]; reached: number[] } {
  const mode = node.string("auto_pad", "NOTSET");
  const { strides, reach } = stepsOf(node, kernel);
  const added = node.ints("output_padding") ?? kernel.map(() => 0);
  const covered = lengths.map((length, axis) => (length - 1) * strides[axis]! + reach[axis]!);
  const total = covered.map((length, axis) => Math.max(0, length + added[axis]! - places[axis]!));
  const derived = mode.startsWith("SAME") || node.ints("output_shape");
  const before = (derived ? halves(total, mode) : resolvedPads(node, lengths, kernel)).slice(0, kernel.length);
  const rest = covered.map((length, axis) => length - before[axis]! - places[axis]!);
  return {
    pads: [...before, ...rest.map((length) => Math.max(0, length))],
    reached: places.map((length, axis) => length + Math.min(0, rest[axis]!)),
  };
}

function stepsOf(node: Node, kernel: readonly number[]) {
  const dilations = node.ints("dilations") ?? kernel.map(() => 1);
  return {
    strides: node.ints("strides") ?? kernel.map(() => 1),
    /** How many elements a window spans. */
    reach: kernel.map((length, axis) => (length - 1) * dilations[axis]! + 1),
  };
}

/** Pads on both sides; an odd one goes to the end for SAME_UPPER, else to the beginning. */
function halves(total: readonly number[], mode: string): number[] {
  const less = total.map((pad) => Math.floor(pad / 2));
  const more = total.map((pad) => Math.ceil(pad / 2));
  return mode === "SAME_UPPER" ? [...less, ...more] : [...more, ...less];
}
