/** Where the output channels of an imported model's weights are. */
import type { Program } from "../program/index.ts";

/**
 * Returns the axis of the output channels of a weight: 0 in convolutions and transposed matrices of Gemm, 1 in transposed
 * convolutions, the last in other matrices. Undefined for constants that are no weight of these.
 *
 * @param program Of an imported model.
 * @param name The weight's name in the file.
 * @example
 * const imported = importOnnx(bytes);
 * const axis = outputAxisOf(imported.program, "classifier.weight");
 */
export function outputAxisOf(program: Program, name: string): number | undefined {
  for (const node of program.allNodes()) {
    const weight = node.inputs[1];
    const rank = weight?.constant?.shape.length ?? 0;
    if (weight?.name !== name || rank < 2) continue;
    if (node.operator === "Conv") return 0;
    if (node.operator === "ConvTranspose") return 1;
    if (node.operator === "Gemm") return node.int("transB", 0) === 1 ? 0 : 1;
    if (node.operator === "MatMul") return rank - 1;
  }
  return undefined;
}
