/** Zero padding before a convolution: part of the convolution's own pads. */
import { type Graph, type Node, type Program, removeDeadNodes } from "../../program/index.ts";
import { padsOf, padValue } from "../pads.ts";
import type { Pass } from "../pass.ts";

/**
 * Folds Pad with zeros into the pads of every Conv that reads it. Only along the image axes, only when nothing is cut off,
 * and not where the convolution computes its pads itself (SAME_UPPER, SAME_LOWER).
 */
export const foldPad: Pass = {
  name: "fold-pad",
  summary: "Folds zero padding into the convolution after it.",
  run(program) {
    const { graph } = program;
    let changes = 0;
    for (const node of graph.nodes) {
      if (node.operator !== "Conv" || node.domain !== "") continue;
      const pad = node.inputs[0]?.producer;
      if (!pad || !isIn(graph, pad) || !absorbPad(node, pad, program)) continue;
      changes++;
    }
    if (changes > 0) removeDeadNodes(graph);
    return changes;
  },
};

function isIn(graph: Graph, node: Node): boolean {
  return graph.nodes.includes(node);
}

function absorbPad(conv: Node, pad: Node, program: Program): boolean {
  if (pad.operator !== "Pad" || pad.domain !== "" || padValue(pad, program) !== 0) return false;
  const automatic = conv.string("auto_pad", "NOTSET");
  const all = padsOf(pad, program);
  if ((automatic !== "NOTSET" && automatic !== "VALID") || !all || all.some((count) => count < 0)) return false;
  const rank = all.length / 2;
  if (rank < 3 || [0, 1, rank, rank + 1].some((index) => all[index] !== 0)) return false;
  const spatial = [...all.slice(2, rank), ...all.slice(rank + 2)];
  const own = automatic === "VALID" ? undefined : conv.ints("pads");
  conv.set(
    "pads",
    spatial.map((count, index) => count + (own?.[index] ?? 0)),
  );
  conv.attributes.delete("auto_pad");
  conv.inputs[0] = pad.input(0);
  return true;
}
