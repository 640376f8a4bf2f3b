/** What batch normalizations are made of, as ONNX operators. */
import { decompositions } from "../build/index.ts";
import { elementCount } from "../tensor/index.ts";
import type { Lowering } from "./lowering.ts";

/**
 * Standardize with numbers per channel as a BatchNormalization whose statistics are given, one pass over memory; with others as
 * one product and one sum.
 */
const standardize: Lowering = (node, ops) => {
  const x = node.input(0);
  const [deviation, scale] = [node.input(1), node.input(2)];
  const [mean, bias] = [node.inputs[3], node.inputs[4]];
  const slope = ops.div(scale, deviation);
  if (!mean || !bias) return [ops.mul(x, slope)];
  const channels = ops.shapeOf(x)[1]!;
  const isPerChannel = ops.shapeOf(deviation).length === ops.rankOf(x) - 1 && ops.rankOf(x) !== 2;
  const isVector = ops.rankOf(x) === 2 && elementCount(ops.shapeOf(deviation)) === channels;
  if (!isPerChannel && !isVector) return [ops.add(ops.mul(x, slope), ops.sub(bias, ops.mul(mean, slope)))];
  const inputs = [slope, bias, mean].map((value) => ops.reshape(value, [channels]));
  const one = ops.full([channels], 1, x.dtype);
  return [ops.emit("BatchNormalization", [x, ...inputs, one], { epsilon: { float: 0 } })];
};

/** Lowerings of operators of channels. */
export const channelForms: Readonly<Record<string, Lowering>> = {
  "modicum:Standardize": standardize,
  "modicum:TakeElements": (node, ops) => decompositions["modicum:TakeElements"]!(node, ops),
  "modicum:AddElements": (node, ops) => decompositions["modicum:AddElements"]!(node, ops),
};
