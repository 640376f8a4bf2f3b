/** If nodes whose condition is a constant: only one branch is ever taken. */
import { Node, type Program } from "../../program/index.ts";
import { scalarConstant } from "../fixed-constant.ts";
import type { Pass } from "../pass.ts";

/**
 * Puts the branch that is taken in the place of an If with a constant condition. Exporters write such nodes for squeezes and
 * optional inputs; layers in a branch become layers of the main graph.
 */
export const inlineBranches: Pass = {
  name: "inline-branches",
  summary: "Replaces If by the branch that is always taken.",
  run(program) {
    const { graph } = program;
    let changes = 0;
    graph.nodes = graph.nodes.flatMap((node) => {
      const taken = takenBranch(node, program);
      if (!taken) return [node];
      changes++;
      graph.initializers.push(...taken.initializers);
      // Identities give the results the names they had; they go when they are not needed.
      const results = node.outputs.flatMap((output, index) =>
        output ? [new Node("Identity", [taken.outputs[index]], [output], { name: output.name })] : [],
      );
      return [...taken.nodes, ...results];
    });
    return changes;
  },
};

function takenBranch(node: Node, { graph }: Program) {
  if (node.operator !== "If" || node.domain !== "") return undefined;
  const condition = scalarConstant(node.inputs[0], graph);
  if (condition === undefined) return undefined;
  const branch = node.attributes.get(condition === 0 ? "else_branch" : "then_branch");
  return branch?.kind === "graph" ? branch.value : undefined;
}
