/** Rules for the normalizations. */
import { Node, Value } from "../../program/index.ts";
import { int64 } from "../../tensor/index.ts";
import { constantInput, type UpgradeRule } from "./upgrade-rule.ts";

/** BatchNormalization 9: statistics are always per channel. */
export const batchNormalizationSpatial: UpgradeRule = (node, context) => {
  if (node.int("spatial", 1) !== 1) {
    context.refuse(node, "statistics must be per channel (spatial=1), got one per position: that ended with opset 8");
  }
  node.attributes.delete("spatial");
  return undefined;
};

/** BatchNormalization 14: more outputs meant training before; now an attribute says so, and means other outputs. */
export const batchNormalizationInference: UpgradeRule = (node, context) => {
  if (node.outputs.slice(1).some((output) => output !== undefined)) {
    context.refuse(node, "it must be in inference mode, got outputs of training. Export the model for inference");
  }
  node.outputs.length = 1;
  return undefined;
};

/** BatchNormalization and Dropout 7: always for inference unless they have training outputs. */
export const withoutIsTest: UpgradeRule = (node, context) => {
  if (node.int("is_test", 0) === 0) {
    context.refuse(node, "it must be in inference mode (is_test=1). Export the model for inference");
  }
  node.attributes.delete("is_test");
  return undefined;
};

/** GroupNormalization 21: scale and bias are per channel, before per group. Each is repeated for the channels of its group. */
export const groupNormalizationPerChannel: UpgradeRule = (node, context) => {
  const groups = node.int("num_groups", 0);
  const channels = node.input(0).shape?.[1];
  if (typeof channels !== "number" || groups < 1 || channels % groups !== 0) {
    context.refuse(
      node,
      `the number of channels must be known and a multiple of num_groups, got ${channels} and ${groups}`,
    );
    return undefined;
  }
  if (channels === groups) return undefined;
  const toRows = constantInput(node, "rows", int64([groups, 1]));
  const repeated = constantInput(node, "repeated", int64([groups, channels / groups]));
  const flat = constantInput(node, "flat", int64([channels]));
  const nodes: Node[] = [];
  for (const index of [1, 2]) {
    const perGroup = node.input(index);
    const [rows, repeats, perChannel] = ["rows", "repeats", "channels"].map(
      (role) => new Value(`${perGroup.name}_${role}`, perGroup.dtype),
    ) as [Value, Value, Value];
    nodes.push(
      new Node("Reshape", [perGroup, toRows], [rows]),
      new Node("Expand", [rows, repeated], [repeats]),
      new Node("Reshape", [repeats, flat], [perChannel]),
    );
    node.inputs[index] = perChannel;
  }
  return [...nodes, node];
};
