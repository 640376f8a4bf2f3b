/** Nodes whose results nobody uses. */
import { removeDeadNodes as removeDead } from "../../program/index.ts";
import type { Pass } from "../pass.ts";

/** Removes nodes that no graph output depends on, and constants that nobody uses. */
export const removeDeadNodes: Pass = {
  name: "remove-dead-nodes",
  summary: "Removes nodes that no output depends on.",
  run: ({ graph }) => removeDead(graph),
};
