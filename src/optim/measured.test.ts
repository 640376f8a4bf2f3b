import { beforeAll, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import { zeros as zero } from "../nn/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, type Tensor, toNumbers } from "../tensor/index.ts";
import { compile, type TrainStep, trainStep } from "../train/index.ts";
import { clipByNorm } from "./clip.ts";
import { measured } from "./measured.ts";
import { pathOf, quadratic } from "./optimizer.cases.ts";
import { sgd } from "./sgd.ts";

/** loss = a . x over two parameters: the gradient is x. */
function linearStep(optimizer: Parameters<typeof measured>[0], name = "other"): TrainStep {
  return trainStep({
    inputs: { x: { shape: [3] } },
    optimizer,
    loss: ({ x }, scope) => {
      const { ops } = scope;
      const a = ops.concat([scope.parameter("a", [1], zero()), scope.parameter("b", [2], zero())], 0);
      const loss = ops.reduceSum(ops.mul(a, x!), { keepDims: false });
      return { loss, [name]: loss };
    },
  });
}

describeUnless(reasonWithoutOnnxRuntimeNode(), "measured", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  it("gives the norms of gradient, weights and update, the gradient's before clipping, and says when that fires", async () => {
    const step = linearStep(measured(clipByNorm(sgd({ learningRate: 0.5 }), 10)));
    const variables = { a: float32([1], [6]), b: float32([2], [0, 8]) };
    const training = await compile(step, { runtime, variables });
    const seen: Record<string, number>[] = [];
    const gradients = [
      [2, 3, 6],
      [6, 12, 16.5],
    ];
    for (const x of gradients) {
      const metrics: Record<string, Tensor> = await training.run({ x: float32([3], x) });
      seen.push(Object.fromEntries(Object.entries(metrics).map(([key, value]) => [key, toNumbers(value)[0]!])));
    }
    await training.release();
    expect([...step.metrics].sort()).toEqual(["clipped", "gradientNorm", "loss", "other", "updateNorm", "weightNorm"]);
    expect(seen[0]).toMatchObject({ gradientNorm: 7, weightNorm: 10, updateNorm: 3.5, clipped: 0 });
    expect(seen[1]!.clipped).toBe(1);
    expect(seen[1]!.gradientNorm).toBeCloseTo(Math.hypot(6, 12, 16.5), 5);
    // The first update took half the gradient off the weights.
    expect(seen[1]!.weightNorm).toBeCloseTo(Math.hypot(5, -1.5, 5), 5);
    expect(seen[1]!.updateNorm).toBeCloseTo(5, 5);
  });

  it("changes nothing", async () => {
    const plain = sgd({ learningRate: 0.1, momentum: 0.9 });
    expect(await pathOf(runtime, quadratic(measured(plain)), 4)).toEqual(await pathOf(runtime, quadratic(plain), 4));
  });

  it("refuses to hide a metric of the loss function", () => {
    expect(() => linearStep(measured(sgd({ learningRate: 1 })), "weightNorm")).toThrow(
      'trainStep: metrics of the loss function must not be called as the optimizer\'s, got "weightNorm". ' +
        "Call it something else.",
    );
  });
});
