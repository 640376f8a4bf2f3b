/** Average pools that spell out the default of dilations, an attribute that integer pools of ONNX Runtime do not know. */
import type { Pass } from "../pass.ts";

/** Removes `dilations` of 1 from AveragePool (opset 19). */
export const dropPoolDilations: Pass = {
  name: "drop-pool-dilations",
  summary: "Removes dilations of 1, the default, from average pools.",
  run(program) {
    let changes = 0;
    for (const node of program.graph.nodes) {
      if (node.operator !== "AveragePool" || node.domain !== "") continue;
      if (node.ints("dilations")?.every((dilation) => dilation === 1) !== true) continue;
      node.attributes.delete("dilations");
      changes++;
    }
    return changes;
  },
};
