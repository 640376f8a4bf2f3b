/** The factors of Gemm, `alpha * A * B + beta * C`: part of its constant weights and bias. */
import { absorbAffine, type LinearNode, linearNode } from "../linear-node.ts";
import type { Pass } from "../pass.ts";

/** Multiplies Gemm's alpha and beta into its constant weights and bias, so that `A * B + C` is left. */
export const normalizeGemm: Pass = {
  name: "normalize-gemm",
  summary: "Multiplies the factors of Gemm into its weights and bias.",
  run({ graph }) {
    let changes = 0;
    for (const node of graph.nodes) {
      const linear = node.operator === "Gemm" ? linearNode(node, graph) : undefined;
      if (!linear) continue;
      const alpha = node.float("alpha", 1);
      const beta = node.inputs[2] ? node.float("beta", 1) : 1;
      if (alpha === 1 && beta === 1) continue;
      // Scaling the output by alpha scales the bias too: beta is set so that it comes out right.
      if (alpha === 0 || !scaleOutput(linear, alpha, beta)) continue;
      changes++;
    }
    return changes;

    function scaleOutput(linear: LinearNode, alpha: number, beta: number): boolean {
      const { node, channels } = linear;
      node.set("beta", { float: beta / alpha });
      const affine = { scale: new Float64Array(channels).fill(alpha), shift: new Float64Array(channels) };
      if (!absorbAffine(linear, affine, graph)) {
        node.set("beta", { float: beta });
        return false;
      }
      node.attributes.delete("alpha");
      node.attributes.delete("beta");
      return true;
    }
  },
};
