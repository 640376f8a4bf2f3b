import { beforeAll, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../../test/support/engines.ts";
import { zeros as zero } from "../../nn/index.ts";
import { sgd } from "../../optim/index.ts";
import type { Runtime } from "../../runtime/index.ts";
import { nodeRuntime } from "../../runtime/node.ts";
import { initialVariables, trainStep } from "../../train/index.ts";
import { recordFit, smallPlan } from "../fit.cases.ts";
import { lossSpread, lossSpreadProbe } from "./loss-spread.ts";

describeUnless(reasonWithoutOnnxRuntimeNode(), "lossSpread", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  /** A plan whose loss is a power of its first weight: the spread over directions is that power of the distance. */
  const plan = (power: 1 | 2) => ({
    ...smallPlan(),
    step: trainStep({
      inputs: {},
      dtype: "float64" as const,
      optimizer: sgd({ learningRate: 1 }),
      loss: (_, scope) => {
        const { ops } = scope;
        const w = scope.parameter("w", [50], zero());
        const first = ops.reduceSum(ops.gather(w, ops.full([1], 0, "int64"), 0), { keepDims: false });
        return power === 1 ? first : ops.square(first);
      },
    }),
  });

  it.each([1, 2] as const)("finds the power %d with which the spread grows: alpha is twice that", async (power) => {
    const { step, seed } = plan(power);
    const variables = initialVariables(step.variables, seed);
    const found = await lossSpread(plan(power), { runtime, variables, batch: {} });
    // The same directions at every distance: the law is exact, but for the rounding of doubles.
    expect(found.alpha).toBeCloseTo(2 * power, 9);
    expect(found.r2).toBeCloseTo(1, 9);
    expect(found.spread.map(({ distance }) => distance)).toEqual([0.25, 0.5, 1, 2, 4, 8, 16]);
    if (power === 2) return;
    // A coordinate of a random unit vector of 50 numbers has variance 1 / 50: three standard errors of 20 draws.
    const ratio = found.spread[2]!.std * Math.sqrt(50);
    expect(Math.abs(ratio - 1)).toBeLessThan(0.5);
  });

  it("is a probe too, that changes nothing", async () => {
    const probe = lossSpreadProbe({ distances: [0.5, 1], directions: 3 }, { doubling: true });
    const probed = await recordFit(smallPlan(), runtime, { probes: { probe } });
    const found = probed.events.filter(({ type }) => type === "probe");
    expect(found.map(({ step }) => step)).toEqual([1, 2, 4, 8, 12]);
    expect(Object.keys(found[0]!.values as object)).toEqual(["alpha", "r2", "std.0.5", "std.1"]);
    expect(found.every(({ values }) => Object.values(values as object).every(Number.isFinite))).toBe(true);
    expect(probed.result.variables).toEqual((await recordFit(smallPlan(), runtime)).result.variables);
  });

  it.each([
    [{ distances: [1] }, "lossSpread: distances must be at least two positive numbers, got [1]."],
    [{ distances: [0, 1] }, "lossSpread: distances must be at least two positive numbers, got [0, 1]."],
    [{ directions: 1 }, "lossSpread: directions must be a whole number of at least 2, got 1."],
  ])("refuses %j", (options, message) => {
    expect(() => lossSpreadProbe(options)).toThrow(message);
  });
});
