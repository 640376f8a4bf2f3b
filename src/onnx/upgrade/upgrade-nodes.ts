/** Applying the rules to nodes, version by version. */
import type { Graph, Node } from "../../program/index.ts";
import { OPERATOR_VERSIONS } from "./operator-versions.ts";
import type { UpgradeContext } from "./upgrade-rule.ts";
import { UPGRADE_RULES } from "./upgrade-rules.ts";

/** From one version of ONNX's operator set to another, not older. */
export interface VersionStep {
  readonly source: number;
  readonly target: number;
}

/** Upgrades the nodes of a graph and of the graphs inside it, in place. What cannot be upgraded is refused in the context. */
export function upgradeGraph(graph: Graph, step: VersionStep, context: UpgradeContext): void {
  graph.nodes = graph.nodes.flatMap((node) => upgradeNode(node, step, context));
}

/** Upgrades a node; returns the nodes that take its place. */
export function upgradeNode(node: Node, { source, target }: VersionStep, context: UpgradeContext): readonly Node[] {
  for (const subgraph of node.subgraphs) upgradeGraph(subgraph, { source, target }, context);
  if (node.domain !== "") return [node];
  const [first] = OPERATOR_VERSIONS[node.operator] ?? [];
  if (first === undefined || first > source) {
    context.refuse(node, first === undefined ? "it is not an operator of ONNX" : `it came only with opset ${first}`);
    return [node];
  }
  let nodes: readonly Node[] = [node];
  for (let version = source + 1; version <= target; version++) {
    nodes = nodes.flatMap((current) => UPGRADE_RULES[current.operator]?.[version]?.(current, context) ?? [current]);
  }
  return nodes;
}
