/** Layers that can only have one width together. */
import type { Layer } from "../../prepare/index.ts";

/** Groups layers that share their weights or their node (both weights of a recurrent one), in the order of their first. */
export function layerGroups(layers: readonly Layer[]): readonly (readonly Layer[])[] {
  const groups: Layer[][] = [];
  for (const layer of layers) {
    const related = groups.filter((group) =>
      group.some((one) => one.weight === layer.weight || one.node === layer.node),
    );
    const [first, ...others] = related;
    if (!first) {
      groups.push([layer]);
      continue;
    }
    first.push(...others.flat(), layer);
    for (const other of others) groups.splice(groups.indexOf(other), 1);
  }
  return groups;
}
