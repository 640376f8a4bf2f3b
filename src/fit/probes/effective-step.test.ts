/** Probes of norms, effective rates and turns of directions. */
import { beforeAll, describe, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../../test/support/engines.ts";
import { linear, sequential } from "../../nn/index.ts";
import { sgd } from "../../optim/index.ts";
import type { Runtime } from "../../runtime/index.ts";
import { nodeRuntime } from "../../runtime/node.ts";
import { seededRandom, type Tensor, tensorOf, toNumbers, zeros } from "../../tensor/index.ts";
import { compile, trainStep } from "../../train/index.ts";
import { recordFit, smallPlan } from "../fit.cases.ts";
import type { Probe, ProbeContext } from "../probe.ts";
import type { RunEvent } from "../run-event.ts";
import type { TrainingPlan } from "../training-plan.ts";
import { channelNorms, channelNormsOf } from "./channel-norms.ts";
import { effectiveRate } from "./effective-rate.ts";
import { rotation } from "./rotation.ts";

describeUnless(reasonWithoutOnnxRuntimeNode(), "probes of effective steps", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  const rowNorms = (w: Tensor): number[] =>
    Array.from({ length: w.shape[0]! }, (_, c) => {
      const length = toNumbers(w).length / w.shape[0]!;
      return Math.hypot(...toNumbers(w).slice(c * length, (c + 1) * length));
    });

  it("record norms of channels, which come back from events in a resumed run too", async () => {
    const plan = smallPlan();
    const probes = { norms: channelNorms(), hidden: channelNorms({ match: (path) => path.startsWith("hidden") }) };
    const { events, checkpoints, result } = await recordFit(plan, runtime, { probes });
    const recorded = channelNormsOf(events as unknown as RunEvent[], "norms");
    // 12 steps are two passes of 5, and a part of one that is no pass.
    expect(recorded.stepsPerEpoch).toBe(5);
    expect(Object.keys(recorded.norms)).toEqual(["hidden.weight", "head.weight"]);
    expect(recorded.norms["hidden.weight"]!.map(({ length }) => length)).toEqual([6, 6]);
    expect(Object.keys(channelNormsOf(events as unknown as RunEvent[], "hidden").norms)).toEqual(["hidden.weight"]);
    const last = events.findLast(({ type, name }) => type === "probe" && name === "norms")!.values as Record<
      string,
      number
    >;
    rowNorms(result.variables["hidden.weight"]!).forEach((norm, c) => {
      expect(last[`hidden.weight[${c}]`]).toBeCloseTo(norm, 12);
    });
    const first = checkpoints.find(({ progress }) => progress.step === 5)!;
    const resumed = await recordFit(plan, runtime, { probes, resume: first });
    const kept = [...events.slice(0, first.eventsBefore), ...resumed.events] as unknown as RunEvent[];
    expect(channelNormsOf(kept, "norms")).toEqual(recorded);
  });

  it("give the mean of eta / ||w||^2, with the rate of the last step", async () => {
    const { events, result } = await recordFit(smallPlan({ totalSteps: 3 }), runtime, {
      probes: { rate: effectiveRate() },
    });
    const values = events.findLast(({ type }) => type === "probe")!.values as Record<string, number>;
    // smallPlan's rate is 0.2 / (1 + step): the third step had number 2.
    const expected = rowNorms(result.variables["head.weight"]!).map((norm) => 0.2 / 3 / norm ** 2);
    expect(values["head.weight"]).toBeCloseTo(expected.reduce((a, b) => a + b) / 3, 10);
  });

  /** A probe's values where a training is, outside of a run. */
  async function measured(
    probe: Probe,
    plan: Pick<TrainingPlan, "step">,
    batch: Record<string, Tensor>,
    variables: Record<string, Tensor>,
  ) {
    const context = { plan, runtime, batch, variables: async () => variables } as unknown as ProbeContext;
    return probe.measure(context);
  }

  it("give the turn of one more step", async () => {
    const w = tensorOf("float64", [2, 2], [3, 4, 1, 0]);
    // The gradient of the first channel is [4, -3] times 0.1, of the second [0, 1]: both orthogonal to the channel.
    const step = trainStep({
      inputs: { g: { shape: [2, 2], dtype: "float64" } },
      dtype: "float64",
      loss: ({ g }, scope) =>
        scope.ops.reduceSum(scope.ops.mul(scope.parameter("weight", [2, 2], w), g!), { keepDims: false }),
      optimizer: sgd({ learningRate: 0.5 }),
    });
    const probe = rotation({ equilibrium: { weightDecay: 0.01, momentum: 0.6 } });
    const variables = { weight: w, step: zeros("int64", []), seed: zeros("int64", []) };
    const values = await measured(probe, { step }, { g: tensorOf("float64", [2, 2], [0.4, -0.3, 0, 1]) }, variables);
    const angles = [Math.atan(0.25 / 5), Math.atan(0.5)];
    expect(values.weight).toBeCloseTo(Math.hypot(...angles) / Math.SQRT2, 12);
    expect(values.equilibrium).toBeCloseTo(Math.sqrt((2 * 0.5 * 0.01) / 1.6), 12);
    await probe.release!();
  });

  it.each([0, 0.9])(
    "find SGD with momentum %s at its rotational equilibrium: sqrt(2 eta lambda / (1 + momentum))",
    async (momentum) => {
      // A loss of the direction alone, whose gradient is new noise in every step: what decay takes, noise must add.
      const [channels, length, eta, lambda] = [16, 64, 0.1, 0.05];
      const step = trainStep({
        inputs: { noise: { shape: [channels, length], dtype: "float64" } },
        dtype: "float64",
        loss: ({ noise }, scope) => {
          const { ops } = scope;
          const w = scope.parameter("weight", [channels, length], (shape, random) =>
            Float64Array.from({ length: shape[0]! * shape[1]! }, () => 0.3 * random.normal()),
          );
          const u = ops.div(w, ops.sqrt(ops.reduceSum(ops.square(w), { axes: [1] })));
          return ops.reduceSum(ops.mul(u, noise!), { keepDims: false });
        },
        optimizer: sgd({ learningRate: eta, momentum, weightDecay: lambda }),
      });
      const random = seededRandom(5);
      const noise = () => ({
        noise: tensorOf(
          "float64",
          [channels, length],
          Array.from({ length: channels * length }, () => random.normal()),
        ),
      });
      const training = await compile(step, { runtime, seed: 1 });
      const probe = rotation({ equilibrium: { weightDecay: lambda, momentum } });
      let [squares, count, equilibrium] = [0, 0, 0];
      for (let i = 0; i < 400; i++) {
        await training.run(noise());
        if (i < 200 || i % 10 !== 0) continue;
        const values = await measured(probe, { step }, noise(), await training.variables());
        squares += values.weight! ** 2;
        equilibrium = values.equilibrium!;
        count++;
      }
      await Promise.all([training.release(), probe.release!()]);
      // 320 angles of 64 numbers; terms of eta lambda are left out of the formula.
      expect(Math.sqrt(squares / count) / equilibrium).toBeGreaterThan(0.93);
      expect(Math.sqrt(squares / count) / equilibrium).toBeLessThan(1.07);
    },
  );

  it("leave channels of zeros out", async () => {
    const network = sequential({ head: linear(3, { weight: (shape) => new Float64Array(shape[0]! * shape[1]!) }) });
    const plan = smallPlan({ network, optimizer: sgd({ learningRate: 0 }), totalSteps: 1 });
    const { events } = await recordFit(plan, runtime, { probes: { rate: effectiveRate(), turn: rotation() } });
    for (const { values } of events.filter(({ type }) => type === "probe"))
      expect(values).toEqual({ "head.weight": 0 });
  });
});

describe("channelNormsOf", () => {
  it("needs the norms of each pass", () => {
    const start = { type: "start", stepsPerEpoch: 5 } as unknown as RunEvent;
    const probe = (epoch: number) =>
      ({ type: "probe", name: "norms", epoch, values: { "a[0]": 1 } }) as unknown as RunEvent;
    expect(() => channelNormsOf([start], "norms")).toThrow(
      'probe "norms" for each pass over the training data, got 0 passes.',
    );
    expect(() => channelNormsOf([start, probe(2)], "norms")).toThrow("got none for pass 1. Probe every epoch.");
    expect(channelNormsOf([start, probe(1), probe(2)], "norms").norms).toEqual({ a: [[1], [1]] });
  });
});
