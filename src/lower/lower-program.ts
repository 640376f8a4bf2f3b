/** Lowering: from what a program means to the ONNX operators that compute it fastest on a device. */
import { type Program, removeDeadNodes } from "../program/index.ts";
import type { LoweringTarget } from "./lowering.ts";
import { lowerings } from "./lowerings.ts";
import { rewriteProgram } from "./rewrite.ts";
import { shareNodes } from "./share-nodes.ts";
import { simplify } from "./simplify.ts";

/**
 * Replaces operators of our own domain by ONNX operators, and slow forms by fast ones of the same meaning. Changes the
 * program in place.
 */
export function lowerProgram(program: Program, target: LoweringTarget): void {
  removeDeadNodes(program.graph);
  rewriteProgram(program, simplify);
  shareNodes(program);
  rewriteProgram(program, (node, ops) =>
    lowerings[node.domain === "" ? node.operator : `${node.domain}:${node.operator}`]?.(node, ops, target),
  );
  rewriteProgram(program, simplify);
  shareNodes(program);
  // What is left must be known to the engine: a file that asks for our domain would not load elsewhere.
  program.opsets.delete("modicum");
}
