/** Chunks of a batch are ghost batches (arXiv:1705.08741, section 4.2): what their running statistics and gradients are. */
import { expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import { batchNorm } from "../nn/index.ts";
import { sgd } from "../optim/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { seededRandom, tensorOf, toNumbers } from "../tensor/index.ts";
import { compile, trainStep } from "../train/index.ts";

describeUnless(reasonWithoutOnnxRuntimeNode(), "chunks", () => {
  it("update running statistics one after the other: the exponential average, unrolled", async () => {
    const [K, size, eta] = [5, 4, 0.1];
    const random = seededRandom(1);
    const numbers = Array.from({ length: K * size }, () => 3 + 2 * random.normal());
    const step = trainStep({
      inputs: { x: { shape: [K * size, 1], dtype: "float64" } },
      chunks: K,
      dtype: "float64",
      optimizer: sgd({ learningRate: 0 }),
      loss: ({ x }, scope) =>
        scope.ops.reduceMean(batchNorm({ momentum: eta })(x!, scope.child("norm")), { keepDims: false }),
    });
    const training = await compile(step, { runtime: await nodeRuntime({ threads: 1 }) });
    const x = tensorOf("float64", [K * size, 1], numbers);
    await training.run({ x });
    const variables = await training.variables();
    await training.release();
    // m_run (1 - eta)^K + sum_k eta (1 - eta)^(K - k) mu_k, k = 1..K.
    const weights = Array.from({ length: K }, (_, i) => eta * (1 - eta) ** (K - 1 - i));
    expect((1 - eta) ** K + weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
    const groups = Array.from({ length: K }, (_, k) => numbers.slice(k * size, (k + 1) * size));
    const means = groups.map((group) => group.reduce((a, b) => a + b, 0) / size);
    const variances = groups.map(
      (group, k) => group.reduce((sum, one) => sum + (one - means[k]!) ** 2, 0) / (size - 1),
    );
    const unrolled = (start: number, values: readonly number[]) =>
      start * (1 - eta) ** K + values.reduce((sum, value, k) => sum + weights[k]! * value, 0);
    expect(toNumbers(variables["norm.runningMean"]!)[0]).toBeCloseTo(unrolled(0, means), 12);
    expect(toNumbers(variables["norm.runningVariance"]!)[0]).toBeCloseTo(unrolled(1, variances), 12);
  });
});
