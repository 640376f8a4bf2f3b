/** Batch normalization with one affine pass per use of the data. */
import type { Ops } from "../../../build/index.ts";
import type { Value } from "../../../program/index.ts";
import { keptStatistic } from "../../batch-normalization.ts";
import type { BlockedContext, BlockedRule } from "../blocked-rule.ts";
import { channelAffine, meanPerChannel } from "../nchwc.ts";

/** ONNX's defaults. */
const EPSILON = 1e-5;
const MOMENTUM = 0.9;

const batchNormalization: BlockedRule = (context) => {
  const { node, canBlock, isBlocked } = context;
  const x = node.input(0);
  if (!isBlocked(x) || !canBlock(x) || node.input(3).dtype !== "float32") return undefined;
  return node.int("training_mode", 0) === 1 ? training(context) : inference(context);
};

/** y = (x - mean) a + bias with a = scale / sqrt(variance + epsilon), as x a + (bias - mean a). */
function inference({ node, ops, mark }: BlockedContext): readonly Value[] {
  const [x, scale, bias, mean, variance] = [0, 1, 2, 3, 4].map((index) => node.input(index)) as Five;
  const epsilon = node.float("epsilon", EPSILON);
  if (epsilon === 0 && isAll(ops, mean, 0) && isAll(ops, variance, 1))
    return [mark(channelAffine(ops, x, scale, bias))];
  const a = ops.mul(scale, inverseDeviation(ops, variance, epsilon));
  return [mark(channelAffine(ops, x, a, ops.sub(bias, ops.mul(mean, a))))];
}

/** Normalizes what is centered, which costs one more pass: E[x^2] - E[x]^2 would lose digits where the mean is large. */
function training({ node, ops, mark }: BlockedContext): readonly Value[] {
  const [x, scale, bias, runningMean, runningVariance] = [0, 1, 2, 3, 4].map((index) => node.input(index)) as Five;
  const mean = meanPerChannel(ops, x);
  const centered = channelAffine(ops, x, ops.full(ops.shapeOf(scale), 1), ops.neg(mean));
  const variance = meanPerChannel(ops, ops.square(centered));
  const a = ops.mul(scale, inverseDeviation(ops, variance, node.float("epsilon", EPSILON)));
  const momentum = node.float("momentum", MOMENTUM);
  return [
    mark(channelAffine(ops, centered, a, bias)),
    keptStatistic(ops, runningMean, mean, momentum),
    keptStatistic(ops, runningVariance, variance, momentum),
  ];
}

type Five = [Value, Value, Value, Value, Value];

function inverseDeviation(ops: Ops, variance: Value, epsilon: number): Value {
  return ops.reciprocal(ops.sqrt(ops.add(variance, epsilon)));
}

function isAll(ops: Ops, value: Value, number: number): boolean {
  return ops.numbersOf(value)?.every((element) => element === number) ?? false;
}

export const batchNormalizations: Readonly<Record<string, BlockedRule>> = { BatchNormalization: batchNormalization };
