import { beforeAll, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import { batchNorm, meanSquaredError } from "../nn/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, toNumbers } from "../tensor/index.ts";
import { compile, trainStep } from "../train/index.ts";
import { averaged, averagedVariables } from "./averaged.ts";
import { pathOf, quadratic, startOf } from "./optimizer.cases.ts";
import { sgd } from "./sgd.ts";

const inner = sgd({
  learningRate: 0.1,
  momentum: 0.9,
  groups: [{ match: (path) => path === "b.weight", frozen: true }],
});

describeUnless(reasonWithoutOnnxRuntimeNode(), "averaged", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  it.each([0, 0.5, 0.9])(
    "is the exponential average of the weights from the first step on (decay %d)",
    async (decay) => {
      const steps = 6;
      const path = await pathOf(runtime, quadratic(inner, "float64"), steps);
      const step = quadratic(averaged(inner, { decay }), "float64");
      const training = await compile(step, { runtime, variables: startOf("float64") });
      for (let i = 0; i < steps; i++) await training.run({});
      const variables = await training.variables();
      await training.release();
      expect([...toNumbers(variables["a.weight"]!)]).toEqual(path.at(-1)!.slice(0, 3));
      const shown = averagedVariables(variables);
      // (1 - d) sum of d^(T - t) w_t over t = 2 .. T, and d^(T - 1) w_1.
      [0, 1, 2].forEach((i) => {
        const terms = path.map((weights, t) => weights[i]! * decay ** (steps - 1 - t) * (t === 0 ? 1 : 1 - decay));
        expect(toNumbers(shown["a.weight"]!)[i]).toBeCloseTo(
          terms.reduce((x, y) => x + y),
          12,
        );
      });
      // Frozen: no average, and what is there stays.
      expect(shown["b.weight"]).toBe(variables["b.weight"]);
      expect(variables["optimizer.average.b.weight"]).toBeUndefined();
    },
  );

  it("averages running statistics too", async () => {
    const norm = batchNorm({ momentum: 0.5 });
    const step = trainStep({
      inputs: { x: { shape: [2, 1] } },
      loss: ({ x }, scope) => meanSquaredError(norm(x!, scope), x!, scope),
      optimizer: averaged(sgd({ learningRate: 0.1 }), { decay: 0.75 }),
    });
    const training = await compile(step, { runtime });
    await training.run({ x: float32([2, 1], [3, 5]) });
    await training.run({ x: float32([2, 1], [7, 9]) });
    const variables = await training.variables();
    await training.release();
    // Running means 2 and 5; their average 0.75 * 2 + 0.25 * 5.
    expect([...toNumbers(variables.runningMean!)]).toEqual([5]);
    expect([...toNumbers(averagedVariables(variables).runningMean!)]).toEqual([2.75]);
  });

  it("refuses what makes no sense", () => {
    expect(() => averaged(inner, { decay: 1 })).toThrow("averaged: decay must be at least 0 and less than 1, got 1.");
    expect(() => averagedVariables(startOf())).toThrow(
      "averagedVariables: variables must hold averages (optimizer.average....), got none. Train with optim.averaged.",
    );
  });
});
