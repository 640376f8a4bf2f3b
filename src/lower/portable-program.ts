/** Programs for others: standard ONNX operators only, for any device. */
import { type Program, removeDeadNodes } from "../program/index.ts";
import { lowerings } from "./lowerings.ts";
import { rewriteProgram } from "./rewrite.ts";
import { shareNodes } from "./share-nodes.ts";
import { simplify } from "./simplify.ts";

/**
 * Replaces operators of our own domain by ONNX operators in their plain form, and drops what does nothing. Changes the program
 * in place; symbolic axes stay as they are.
 */
export function toPortable(program: Program): void {
  removeDeadNodes(program.graph);
  rewriteProgram(program, (node, ops) =>
    node.domain === "modicum" ? lowerings[`modicum:${node.operator}`]?.(node, ops, { device: "wasm" }) : undefined,
  );
  rewriteProgram(program, simplify);
  shareNodes(program);
  program.opsets.delete("modicum");
}
