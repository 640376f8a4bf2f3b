/** Pad with an axes input: written as a Pad of all axes, which every later step (and ONNX Runtime's layout changes) knows. */
import { constantValue } from "../../program/index.ts";
import { int64 } from "../../tensor/index.ts";
import { padsOf } from "../pads.ts";
import type { Pass } from "../pass.ts";

/**
 * Replaces the pads of some axes (opset 18) by pads of all axes, where both are constant and the rank is known. ONNX Runtime
 * 1.30 fails on the former between integer convolutions: it moves the axes and reads past the end of the pads.
 */
export const expandPadAxes: Pass = {
  name: "expand-pad-axes",
  summary: "Writes a Pad of some axes as a Pad of all axes.",
  run(program) {
    let changes = 0;
    for (const node of program.graph.nodes) {
      const pads = node.operator === "Pad" && node.domain === "" && node.inputs[3] ? padsOf(node, program) : undefined;
      if (!pads) continue;
      node.inputs[1] = constantValue(`${node.inputs[1]!.name}_all_axes`, int64(pads));
      node.inputs.length = node.inputs[2] ? 3 : 2;
      changes++;
    }
    return changes;
  },
};
