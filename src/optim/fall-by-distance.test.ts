import { beforeAll, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import { zeros as zero } from "../nn/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, type Tensor, toNumbers } from "../tensor/index.ts";
import { compile, trainStep } from "../train/index.ts";
import { fallByDistance } from "./fall-by-distance.ts";
import { sgd } from "./sgd.ts";

/** loss = a . x: a step of learning rate 1 is -x. The second parameter is the smaller one. */
function walk(optimizer: Parameters<typeof fallByDistance>[0]) {
  return trainStep({
    inputs: { x: { shape: [3] } },
    optimizer,
    loss: ({ x }, scope) => {
      const { ops } = scope;
      const a = ops.concat([scope.parameter("a", [2], zero()), scope.parameter("b", [1], zero())], 0);
      return ops.reduceSum(ops.mul(a, x!), { keepDims: false });
    },
  });
}

describeUnless(reasonWithoutOnnxRuntimeNode(), "fallByDistance", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  it("falls where the weights have come far enough, does not rise when they come back, and goes on after a restart", async () => {
    const step = walk(fallByDistance(sgd({ learningRate: 1 }), { thresholds: [3, 5], factor: 0.5 }));
    const start: Record<string, Tensor> = { a: float32([2], [10, 20]), b: float32([1], [30]) };
    let training = await compile(step, { runtime, variables: start });
    const seen: [number, number][] = [];
    const steps = [
      [0, 0, 2],
      [0, 0, 1.5],
      [0, 0, 4],
      [0, 0, -8],
      [0, 0, 0],
    ];
    for (const x of steps) {
      const metrics = await training.run({ x: float32([3], x) });
      seen.push([toNumbers(metrics.distance!)[0]!, toNumbers(metrics.learningRateFactor!)[0]!]);
      const variables = await training.variables();
      await training.release();
      training = await compile(step, { runtime, variables });
    }
    // 0, 2, 3.5 (falls), 3.5 + 4 / 2 = 5.5 (falls), 5.5 - 8 / 4 = 3.5: fallen twice all the same.
    expect(seen).toEqual([
      [0, 1],
      [2, 1],
      [3.5, 0.5],
      [5.5, 0.25],
      [3.5, 0.25],
    ]);
    const slots = step.variables.filter(({ role }) => role === "slot").map(({ path }) => path);
    expect(slots).toEqual(["optimizer.start.a", "optimizer.start.b", "optimizer.furthest.b"]);
    await training.release();
  });

  it.each([
    [{ thresholds: [] }, "fallByDistance: thresholds must be positive numbers that increase, got []."],
    [{ thresholds: [2, 1] }, "fallByDistance: thresholds must be positive numbers that increase, got [2, 1]."],
    [{ thresholds: [0] }, "fallByDistance: thresholds must be positive numbers that increase, got [0]."],
    [{ thresholds: [1], factor: 0 }, "fallByDistance: factor must be positive, got 0."],
  ])("refuses %j", (options, message) => {
    expect(() => fallByDistance(sgd({ learningRate: 1 }), options)).toThrow(message);
  });
});
