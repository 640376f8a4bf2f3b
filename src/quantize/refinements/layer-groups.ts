/** The order in which layers are refined, and which of them together. */
import type { Layer } from "../../prepare/index.ts";
import type { Program, Value } from "../../program/index.ts";
import { productSizes } from "./input-columns.ts";

/** Numbers of Gram matrices that are gathered at a time, about 256 MiB of them. */
const MOST_NUMBERS = 2 ** 26;

/**
 * Divides layers into groups in the order in which they depend on each other, at most `count` where memory allows: layers that
 * only depend on earlier groups where there are few enough, else neighbours too.
 */
export function layerGroups(program: Program, layers: readonly Layer[], count: number): Layer[][] {
  const depths = layerDepths(program, layers);
  const levels = [...new Set(depths.values())].sort((a, b) => a - b);
  const perGroup = Math.max(1, levels.length / count);
  const groups: { index: number; numbers: number; layers: Layer[] }[] = [];
  const ordered = [...layers].sort((a, b) => depths.get(a)! - depths.get(b)!);
  for (const layer of ordered) {
    const index = Math.floor(levels.indexOf(depths.get(layer)!) / perGroup);
    const { groups: parts, inputs, outputs } = productSizes(layer);
    const numbers = parts * inputs * (inputs + outputs);
    const last = groups.at(-1);
    if (last?.index === index && last.numbers + numbers <= MOST_NUMBERS) {
      last.layers.push(layer);
      last.numbers += numbers;
    } else groups.push({ index, numbers, layers: [layer] });
  }
  return groups.map((group) => group.layers);
}

/** How many of the layers each layer depends on, one after the other. */
function layerDepths(program: Program, layers: readonly Layer[]): Map<Layer, number> {
  const byNode = new Map(layers.map((layer) => [layer.node, layer]));
  const depthOf = new Map<Value, number>();
  const found = new Map<Layer, number>();
  for (const node of program.graph.nodes) {
    let depth = 0;
    for (const input of node.inputs) if (input) depth = Math.max(depth, depthOf.get(input) ?? 0);
    const layer = byNode.get(node);
    if (layer) found.set(layer, depth++);
    for (const output of node.outputs) if (output) depthOf.set(output, depth);
  }
  return found;
}
