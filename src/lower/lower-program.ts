/** Lowering: from what a program means to the ONNX operators that compute it fastest on a device. */
import { type Node, type Program, removeDeadNodes } from "../program/index.ts";
import { blockChannels } from "./blocked/blocked-channels.ts";
import { float64Forms } from "./float64-forms.ts";
import { fuseSums } from "./fuse-sums.ts";
import { integerProducts } from "./integer/integer-products.ts";
import type { Lowering, LoweringTarget } from "./lowering.ts";
import { lowerings } from "./lowerings.ts";
import { gradientMarks } from "./marks.ts";
import { rewriteProgram } from "./rewrite.ts";
import { shareNodes } from "./share-nodes.ts";
import { simplify } from "./simplify.ts";
import { webgpuForms } from "./webgpu-forms.ts";
import { keyOf, withoutKernel } from "./without-kernel.ts";

/**
 * Replaces operators of our own domain by ONNX operators, and slow forms by fast ones of the same meaning. Changes the
 * program in place.
 */
export function lowerProgram(program: Program, target: LoweringTarget): void {
  removeDeadNodes(program.graph);
  rewriteProgram(program, simplify);
  shareNodes(program);
  rewriteProgram(program, (node, ops) => withoutKernel(node, ops, target));
  rewriteProgram(program, (node, ops) => gradientMarks[keyOf(node)]?.(node, ops, target));
  if (target.hasIntegerProducts) integerProducts(program);
  if (target.channelBlock !== undefined) blockChannels(program, target.channelBlock);
  rewriteProgram(program, (node, ops) => lowerings[keyOf(node)]?.(node, ops, target));
  rewriteProgram(program, (node, ops) => formsFor(node, target)[keyOf(node)]?.(node, ops, target));
  rewriteProgram(program, simplify);
  fuseSums(program);
  shareNodes(program);
  // What is left must be known to the engine: a file that asks for our domain would not load elsewhere.
  program.opsets.delete("modicum");
}

/** What stands for operators that the device cannot compute as they are. */
function formsFor(node: Node, { device }: LoweringTarget): Readonly<Record<string, Lowering>> {
  if (node.outputs[0]?.dtype === "float64") return float64Forms;
  return device === "webgpu" ? webgpuForms : {};
}
