/** Batch normalization while training, as sums and one pass of the operator that takes given statistics. */
import type { Ops } from "../build/index.ts";
import type { Value } from "../program/index.ts";
import type { Lowering } from "./lowering.ts";

/** ONNX's default. */
const MOMENTUM = 0.9;

/**
 * ONNX Runtime's own kernel (CPU and WASM only, 1.30) writes new statistics over its inputs, constants too: two layers that share
 * a constant would read each other's statistics, and the caller's running statistics would change. The parts take as long.
 *
 * The variance is that of centered numbers: E[x^2] - E[x]^2 would lose digits where the mean is large.
 */
const batchNormalization: Lowering = (node, ops) => {
  if (node.int("training_mode", 0) !== 1) return undefined;
  const [x, scale, bias, runningMean, runningVariance] = [0, 1, 2, 3, 4].map((index) => node.input(index)) as [
    Value,
    Value,
    Value,
    Value,
    Value,
  ];
  const axes = ops.shapeOf(x).flatMap((_, axis) => (axis === 1 ? [] : [axis]));
  const mean = ops.reduceMean(x, { axes });
  const variance = ops.reduceMean(ops.square(ops.sub(x, mean)), { axes });
  const channels = ops.shapeOf(scale);
  const [batchMean, batchVariance] = [mean, variance].map((statistic) =>
    ops.cast(ops.reshape(statistic, channels), runningMean.dtype!),
  ) as [Value, Value];
  const epsilon = node.attributes.get("epsilon");
  const y = ops.emit("BatchNormalization", [x, scale, bias, batchMean, batchVariance], { epsilon });
  const momentum = node.float("momentum", MOMENTUM);
  return [
    y,
    keptStatistic(ops, runningMean, batchMean, momentum),
    keptStatistic(ops, runningVariance, batchVariance, momentum),
  ];
};

/** What ONNX keeps of statistics: running momentum + batch (1 - momentum) */
export function keptStatistic(ops: Ops, running: Value, batch: Value, momentum: number): Value {
  return momentum === 0 ? batch : ops.add(ops.mul(running, momentum), ops.mul(batch, 1 - momentum));
}

export const batchNorm: Readonly<Record<string, Lowering>> = { BatchNormalization: batchNormalization };
