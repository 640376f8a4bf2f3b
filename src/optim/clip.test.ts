import { expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import { zeros as zero } from "../nn/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { tensorOf, toNumbers } from "../tensor/index.ts";
import { compile, trainStep } from "../train/index.ts";
import { clipByNorm } from "./clip.ts";
import { sgd } from "./sgd.ts";

describeUnless(reasonWithoutOnnxRuntimeNode(), "clipByNorm", () => {
  it.each([
    ["above", [6, -12, 20], 1],
    ["below", [1, -2, 2], 0],
    ["zero", [0, 0, 0], 0],
  ])("makes the norm min(norm, 5), keeps the direction, and says whether it acted: %s", async (_, x, clipped) => {
    const step = trainStep({
      inputs: { x: { shape: [3], dtype: "float64" } },
      optimizer: clipByNorm(sgd({ learningRate: 1 }), 5),
      dtype: "float64",
      loss: (inputs, scope) =>
        scope.ops.reduceSum(scope.ops.mul(scope.parameter("w", [3], zero()), inputs.x!), { keepDims: false }),
    });
    const training = await compile(step, { runtime: await nodeRuntime({ threads: 1 }) });
    const metrics = await training.run({ x: tensorOf("float64", [3], x) });
    // From 0 with learning rate 1: the weights are minus the gradient that was used.
    const used = Array.from(toNumbers((await training.variables()).w!), (w) => 0 - w);
    await training.release();
    const norm = Math.hypot(...x);
    // As PyTorch's it divides by norm + 1e-6: a relative difference of 1e-6 / norm.
    expect(Math.hypot(...used)).toBeCloseTo(Math.min(norm, 5), 6);
    const factor = Math.min(1, 5 / (norm + 1e-6));
    used.forEach((gradient, i) => void expect(gradient).toBeCloseTo(x[i]! * factor, 12));
    expect(toNumbers(metrics.clipped!)[0]).toBe(clipped);
  });
});
