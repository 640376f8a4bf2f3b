/** All the ways in which ONNX's operators changed their meaning or form, up to operator set 21. */
import { Node } from "../../program/index.ts";
import {
  axesToInput,
  clipBoundsToInputs,
  dftAxisToInput,
  dropoutToInput,
  padsToInput,
  reshapeToInput,
  sliceToInputs,
  splitCount,
  splitToInput,
  topKToInput,
} from "./attributes-to-inputs.ts";
import {
  concatAxis,
  numpyBroadcast,
  preluSlopes,
  withoutBroadcast,
  withoutConsumedInputs,
  withoutOutputSequence,
} from "./legacy.ts";
import {
  batchNormalizationInference,
  batchNormalizationSpatial,
  groupNormalizationPerChannel,
  withoutIsTest,
} from "./normalization.ts";
import {
  gridSampleModes,
  resizeCoordinates,
  resizeWithoutTensorFlowMode,
  upsampleScalesPerAxis,
  upsampleScalesToInput,
  upsampleToResize,
} from "./resize.ts";
import { softmaxOverOneAxis } from "./softmax.ts";
import type { UpgradeRule } from "./upgrade-rule.ts";

/** Marks a change that nothing can be done about, with the reason. */
function refused(reason: string): UpgradeRule {
  return (node, context) => {
    context.refuse(node, reason);
    return undefined;
  };
}

/** Scatter 11: it was renamed. */
const scatterToScatterElements: UpgradeRule = (node) => {
  const renamed = new Node("ScatterElements", node.inputs, node.outputs, { name: node.name });
  for (const [name, attribute] of node.attributes) renamed.attributes.set(name, attribute);
  renamed.extras = node.extras;
  return [renamed];
};

/** RoiAlign 16: what it did is now said by an attribute, whose default is something else. */
const roiAlignCoordinates: UpgradeRule = (node) => {
  node.set("coordinate_transformation_mode", "output_half_pixel");
  return undefined;
};

/** The rule for an operator's change at a version. Changes at versions without a rule are compatible. */
// biome-ignore format: a table
export const UPGRADE_RULES: Readonly<Record<string, Readonly<Record<number, UpgradeRule>>>> = {
  Abs: { 6: withoutConsumedInputs },
  Add: { 6: withoutConsumedInputs, 7: numpyBroadcast },
  And: { 7: numpyBroadcast },
  BatchNormalization: { 6: withoutConsumedInputs, 7: withoutIsTest, 9: batchNormalizationSpatial, 14: batchNormalizationInference },
  Cast: { 6: refused("the type it casts to was a name before opset 6, which is not supported") },
  Ceil: { 6: withoutConsumedInputs },
  Clip: { 6: withoutConsumedInputs, 11: clipBoundsToInputs },
  Concat: { 4: concatAxis },
  DFT: { 20: dftAxisToInput },
  Div: { 6: withoutConsumedInputs, 7: numpyBroadcast },
  Dropout: { 6: withoutConsumedInputs, 7: withoutIsTest, 12: dropoutToInput },
  Elu: { 6: withoutConsumedInputs },
  Equal: { 7: numpyBroadcast },
  Exp: { 6: withoutConsumedInputs },
  Floor: { 6: withoutConsumedInputs },
  GRU: { 3: refused("it computed something else before opset 3"), 7: withoutOutputSequence },
  Gemm: { 7: withoutBroadcast },
  GlobalLpPool: { 2: refused("p was not a whole number before opset 2") },
  Greater: { 7: numpyBroadcast },
  GridSample: { 20: gridSampleModes },
  GroupNormalization: { 21: groupNormalizationPerChannel },
  HardSigmoid: { 6: withoutConsumedInputs },
  Hardmax: { 13: softmaxOverOneAxis },
  InstanceNormalization: { 6: withoutConsumedInputs },
  LSTM: { 7: withoutOutputSequence },
  LeakyRelu: { 6: withoutConsumedInputs },
  Less: { 7: numpyBroadcast },
  Log: { 6: withoutConsumedInputs },
  LogSoftmax: { 13: softmaxOverOneAxis },
  LpPool: { 2: refused("p was not a whole number before opset 2") },
  Max: { 6: withoutConsumedInputs },
  Mean: { 6: withoutConsumedInputs },
  Min: { 6: withoutConsumedInputs },
  Mul: { 6: withoutConsumedInputs, 7: numpyBroadcast },
  Neg: { 6: withoutConsumedInputs },
  Or: { 7: numpyBroadcast },
  PRelu: { 6: withoutConsumedInputs, 7: preluSlopes },
  Pad: { 2: refused("pads were called paddings before opset 2, which is not supported"), 11: padsToInput },
  Pow: { 7: numpyBroadcast },
  RNN: { 7: withoutOutputSequence },
  Reciprocal: { 6: withoutConsumedInputs },
  ReduceL1: { 18: axesToInput },
  ReduceL2: { 18: axesToInput },
  ReduceLogSum: { 18: axesToInput },
  ReduceLogSumExp: { 18: axesToInput },
  ReduceMax: { 18: axesToInput },
  ReduceMean: { 18: axesToInput },
  ReduceMin: { 18: axesToInput },
  ReduceProd: { 18: axesToInput },
  ReduceSum: { 13: axesToInput },
  ReduceSumSquare: { 18: axesToInput },
  Relu: { 6: withoutConsumedInputs },
  Reshape: { 5: reshapeToInput },
  Resize: { 11: resizeCoordinates, 13: resizeWithoutTensorFlowMode },
  RoiAlign: { 16: roiAlignCoordinates },
  Scan: { 9: refused("it ran over batches before opset 9, which is not supported") },
  Scatter: { 11: scatterToScatterElements },
  Selu: { 6: withoutConsumedInputs },
  Sigmoid: { 6: withoutConsumedInputs },
  Slice: { 10: sliceToInputs },
  Softmax: { 13: softmaxOverOneAxis },
  Split: { 2: refused("its lengths were an input before opset 2, which is not supported"), 13: splitToInput, 18: splitCount },
  Sqrt: { 6: withoutConsumedInputs },
  Squeeze: { 13: axesToInput },
  Sub: { 6: withoutConsumedInputs, 7: numpyBroadcast },
  Sum: { 6: withoutConsumedInputs },
  Tanh: { 6: withoutConsumedInputs },
  Tile: { 6: refused("it repeated a single axis before opset 6, which is not supported") },
  TopK: { 10: topKToInput },
  Unsqueeze: { 13: axesToInput },
  Upsample: { 7: upsampleScalesPerAxis, 9: upsampleScalesToInput, 10: upsampleToResize },
  Xor: { 7: numpyBroadcast },
};
