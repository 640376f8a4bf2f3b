/** Softmax, LogSoftmax and Hardmax 13: over one axis, before over all axes from `axis` on, flattened. */
import { Node, Value } from "../../program/index.ts";
import type { UpgradeRule } from "./upgrade-rule.ts";

/**
 * Where `axis` is the last axis, or all after it have length 1, both meanings agree. Elsewhere, and where the rank is
 * unknown, the input is flattened to two axes, normalized along the second and reshaped back.
 */
export const softmaxOverOneAxis: UpgradeRule = (node) => {
  const x = node.input(0);
  const axis = node.int("axis", 1);
  const axisFromStart = axis < 0 && x.shape ? axis + x.shape.length : axis;
  if (axis === -1 || x.shape?.slice(axisFromStart + 1).every((length) => length === 1)) {
    node.set("axis", x.shape && axisFromStart === x.shape.length - 1 ? -1 : axisFromStart);
    return undefined;
  }
  const y = node.output();
  const shape = new Value(`${y.name}_shape`, "int64", x.shape && [x.shape.length]);
  const flat = new Value(`${y.name}_flat`, x.dtype);
  const normalized = new Value(`${y.name}_normalized`, x.dtype);
  const softmax = new Node(node.operator, [flat], [normalized], { name: node.name, attributes: { axis: -1 } });
  softmax.extras = node.extras;
  return [
    new Node("Shape", [x], [shape]),
    new Node("Flatten", [x], [flat], { attributes: { axis } }),
    softmax,
    new Node("Reshape", [normalized, shape], [y]),
  ];
};
