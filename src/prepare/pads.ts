/** What a Pad node pads with, whichever version of the operator it is. */
import type { Node, Program } from "../program/index.ts";
import { toNumbers } from "../tensor/index.ts";
import { fixedConstant } from "./fixed-constant.ts";

/**
 * Returns the pads of a Pad node for each axis of its input, [begin..., end...], or undefined when they are not constant
 * or (with the axes input of opset 18) the rank is not known.
 */
export function padsOf(node: Node, { graph, opset }: Program): number[] | undefined {
  if (opset < 11) return node.ints("pads") ?? node.ints("paddings");
  const constant = fixedConstant(node.inputs[1], graph);
  if (!constant) return undefined;
  const pads = [...toNumbers(constant.load())];
  if (!node.inputs[3]) return pads;
  const axes = fixedConstant(node.inputs[3], graph);
  const rank = node.inputs[0]?.shape?.length;
  if (!axes || rank === undefined) return undefined;
  const all = new Array<number>(2 * rank).fill(0);
  toNumbers(axes.load()).forEach((axis, index) => {
    const at = axis < 0 ? axis + rank : axis;
    all[at] = pads[index]!;
    all[at + rank] = pads[index + pads.length / 2]!;
  });
  return all;
}

/** Returns the number a Pad node in constant mode pads with, or undefined in other modes or when it is not constant. */
export function padValue(node: Node, { graph, opset }: Program): number | undefined {
  if (node.string("mode", "constant") !== "constant") return undefined;
  if (opset < 11) return node.float("value", 0);
  if (!node.inputs[2]) return 0;
  const constant = fixedConstant(node.inputs[2], graph);
  return constant && toNumbers(constant.load())[0];
}
