/** What norms do to steps before a normalization, and the optimizers that make use of it: arXiv:1803.01814, sections 2 and 3. */
import { beforeAll, describe, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import type { Optimizer } from "../build/index.ts";
import { OptionError, ShapeError } from "../errors.ts";
import { batchNorm, linear, sequential } from "../nn/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { type Tensor, tensorOf, toNumbers } from "../tensor/index.ts";
import { compile, trainStep } from "../train/index.ts";
import { averaged, averagedVariables } from "./averaged.ts";
import type { ChannelNorms } from "./channel-norms.ts";
import { correctedRate } from "./corrected-rate.ts";
import { normSchedule } from "./norm-schedule.ts";
import { projected } from "./projected.ts";
import { sgd } from "./sgd.ts";

const SAMPLES = 12;
const INPUTS = 5;
const FEATURES = 3;

const wave = (shape: readonly number[], phase: number, scale = 1): Tensor =>
  tensorOf(
    "float64",
    shape,
    Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      (_, i) => scale * Math.sin(2.3 * i * (1 + i / 97) + phase),
    ),
  );

/** A linear layer whose length means nothing, because a batch norm without an epsilon follows, in float64. */
const network = sequential({ body: linear(FEATURES, { bias: false }), norm: batchNorm({ epsilon: 1e-14 }) });
const batch = { x: wave([SAMPLES, INPUTS], 1), target: wave([SAMPLES, FEATURES], 2) };
const start = (scale = 1): Record<string, Tensor> => ({ "body.weight": wave([FEATURES, INPUTS], 3, scale) });

function stepOf(optimizer: Optimizer) {
  return trainStep({
    inputs: {
      x: { shape: [SAMPLES, INPUTS], dtype: "float64" },
      target: { shape: [SAMPLES, FEATURES], dtype: "float64" },
    },
    dtype: "float64",
    loss: ({ x, target }, scope) => {
      const { ops } = scope;
      return ops.reduceMean(ops.square(ops.sub(network(x!, scope), target!)), { keepDims: false });
    },
    optimizer,
  });
}

const rows = (w: Tensor): number[][] =>
  Array.from({ length: w.shape[0]! }, (_, c) => Array.from(toNumbers(w).slice(c * INPUTS, (c + 1) * INPUTS)));
const norms = (w: Tensor): number[] => rows(w).map((row) => Math.hypot(...row));
const directions = (w: Tensor): number[] => rows(w).flatMap((row) => row.map((x) => x / Math.hypot(...row)));
const largest = (numbers: readonly number[]): number => Math.max(...numbers.map(Math.abs));
const difference = (a: readonly number[], b: readonly number[]): number => largest(a.map((x, i) => x - b[i]!));
/** Only the weight before the normalization. */
const weightAlone = (learningRate: Optimizer["learningRate"]): Optimizer =>
  sgd({ learningRate, groups: [{ match: (path) => path.startsWith("norm"), frozen: true }] });
const isWeight = (path: string): boolean => path === "body.weight";

describeUnless(reasonWithoutOnnxRuntimeNode(), "norms and rates", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  /** The weight before the first step and after each. */
  async function weights(optimizer: Optimizer, steps: number, variables = start()): Promise<Tensor[]> {
    const training = await compile(stepOf(optimizer), { runtime, variables });
    const all = [(await training.variables())["body.weight"]!];
    for (let i = 0; i < steps; i++) {
      await training.run(batch);
      all.push((await training.variables())["body.weight"]!);
    }
    await training.release();
    return all;
  }

  describe("steps before a normalization", () => {
    /** grad L(u): the gradient where every channel has length 1, by one step of SGD from there. */
    async function gradientAtDirections(): Promise<{ u: number[]; gradient: number[] }> {
      const u = directions(start()["body.weight"]!);
      const [from, to] = await weights(weightAlone(1), 1, {
        "body.weight": tensorOf("float64", [FEATURES, INPUTS], u),
      });
      const after = toNumbers(to!);
      return { u, gradient: Array.from(toNumbers(from!), (x, i) => x - after[i]!) };
    }

    it("have gradients orthogonal to the weight", async () => {
      const [from, to] = await weights(weightAlone(1), 1);
      const moved = rows(to!);
      const along = rows(from!).map((row, c) => row.reduce((sum, w, i) => sum + w * (moved[c]![i]! - w), 0));
      expect(largest(along)).toBeLessThan(1e-12);
    });

    it("turn directions by eta ||w||^-2 (I - u u^T) grad L(u), but for terms of eta^2", async () => {
      const { u, gradient } = await gradientAtDirections();
      const w0 = start()["body.weight"]!;
      const lengths = norms(w0);
      const residual = async (eta: number): Promise<number> => {
        const to = directions((await weights(weightAlone(eta), 1))[1]!);
        const predicted = u.map((ui, i) => {
          const c = Math.floor(i / INPUTS);
          const own = (j: number) => j >= c * INPUTS && j < (c + 1) * INPUTS;
          const along = u.reduce((sum, uj, j) => sum + (own(j) ? uj * gradient[j]! : 0), 0);
          return ui - (eta / lengths[c]! ** 2) * (gradient[i]! - ui * along);
        });
        return difference(to, predicted);
      };
      const [large, small] = [await residual(0.1), await residual(0.01)];
      expect(large).toBeGreaterThan(1e-8);
      // A hundredth, but for terms of eta^3.
      expect(large / small).toBeGreaterThan(80);
      expect(large / small).toBeLessThan(125);
    });

    it("turn directions by a ninth when weights are three times as long", async () => {
      const turn = async (scale: number): Promise<number[]> => {
        const [from, to] = await weights(weightAlone(1e-4), 1, start(scale));
        const before = directions(from!);
        return directions(to!).map((x, i) => x - before[i]!);
      };
      const [plain, long] = [await turn(1), await turn(3)];
      expect(
        difference(
          long.map((x) => 9 * x),
          plain,
        ),
      ).toBeLessThan(1e-3 * largest(plain));
    });

    it("never shorten weights without decay and momentum", async () => {
      const lengths = (await weights(sgd({ learningRate: 0.3 }), 20)).map(norms);
      lengths.slice(1).forEach((now, step) => {
        now.forEach((norm, c) => void expect(norm).toBeGreaterThanOrEqual(lengths[step]![c]! * (1 - 1e-14)));
      });
      expect(lengths.at(-1)![0]!).toBeGreaterThan(lengths[0]![0]! * 1.0001);
    });

    it("are the same with norms times sqrt(10) as with rates times 0.1, over 50 steps", async () => {
      // The scale and shift of the norm have no such length: they stay as they are.
      const long = await weights(weightAlone(0.5), 50, start(Math.sqrt(10)));
      const slow = await weights(weightAlone(0.05), 50);
      expect(difference(directions(long[50]!), directions(slow[50]!))).toBeLessThan(1e-5);
      expect(difference(directions(slow[50]!), directions(slow[0]!))).toBeGreaterThan(0.01);
    });
  });

  describe("projected", () => {
    it("puts channels back to their length, and leaves the rest alone", async () => {
      const optimizer = projected(sgd({ learningRate: 0.3, momentum: 0.9 }), { match: isWeight, norm: 2 });
      for (const w of (await weights(optimizer, 4)).slice(1)) {
        for (const norm of norms(w)) expect(norm).toBeCloseTo(2, 13);
      }
    });

    it("leaves channels of zeros at zero", async () => {
      const numbers = Array.from(toNumbers(start()["body.weight"]!), (w, i) => (i < INPUTS ? 0 : w));
      // A batch norm in front would divide by 0; a step of rate 0 changes nothing but by the projection.
      const optimizer = projected(sgd({ learningRate: 0 }), { match: isWeight, norm: 1 });
      const [, w] = await weights(optimizer, 1, { "body.weight": tensorOf("float64", [FEATURES, INPUTS], numbers) });
      expect(norms(w!)).toEqual([0, expect.closeTo(1, 13), expect.closeTo(1, 13)]);
    });

    it("is seen by averages around it", async () => {
      const optimizer = averaged(projected(sgd({ learningRate: 0.3 }), { match: isWeight, norm: 1 }), { decay: 0.9 });
      const training = await compile(stepOf(optimizer), { runtime, variables: start() });
      await training.run(batch);
      const variables = averagedVariables(await training.variables());
      await training.release();
      for (const norm of norms(variables["body.weight"]!)) expect(norm).toBeCloseTo(1, 13);
    });
  });

  const record: ChannelNorms = {
    stepsPerEpoch: 2,
    norms: {
      "body.weight": [
        [0.5, 1, 2],
        [0.25, Number.NaN, 0],
      ],
    },
  };

  describe("correctedRate", () => {
    it("scales each channel's whole change by ||w||^2 / n^2 of its pass", async () => {
      const inner = sgd({ learningRate: 0.1, momentum: 0.9 });
      const all = await weights(correctedRate(inner, { norms: record }), 3);
      const [plain] = [await weights(inner, 1)];
      const lengths = norms(all[0]!);
      const [from, corrected, uncorrected] = [rows(all[0]!), rows(all[1]!), rows(plain![1]!)];
      [0.5, 1, 2].forEach((n, c) => {
        const factor = (lengths[c]! / n) ** 2;
        const expected = from[c]!.map((w, i) => w + factor * (uncorrected[c]![i]! - w));
        expect(difference(corrected[c]!, expected)).toBeLessThan(1e-13);
      });
      // The third step is of the second pass, whose last two norms stop their channels.
      const [second, third] = [rows(all[2]!), rows(all[3]!)];
      expect(third.slice(1)).toEqual(second.slice(1));
      expect(difference(third[0]!, second[0]!)).toBeGreaterThan(1e-6);
    });

    it("turns directions as the recorded run does", async () => {
      // Without momentum and with the norms of every step, directions are those of the recorded run, decay or not.
      const decay = sgd({
        learningRate: 0.2,
        weightDecay: 0.1,
        groups: [{ match: (path) => path.startsWith("norm"), weightDecay: 0 }],
      });
      const recorded = await weights(decay, 20);
      const each: ChannelNorms = { stepsPerEpoch: 1, norms: { "body.weight": recorded.slice(0, 20).map(norms) } };
      const followed = await weights(correctedRate(sgd({ learningRate: 0.2 }), { norms: each }), 20);
      const uncorrected = await weights(sgd({ learningRate: 0.2 }), 20);
      const error = (path: Tensor[]) => difference(directions(path[20]!), directions(recorded[20]!));
      // Coupled decay also shortens w in the step itself: the turn is by eta / (1 - eta lambda), 2 % more.
      expect(error(followed)).toBeLessThan(0.25 * error(uncorrected));
    });
  });

  it.each([
    ["correctedRate", (inner: Optimizer, norms: ChannelNorms) => correctedRate(inner, { norms })],
    ["normSchedule", (inner: Optimizer, norms: ChannelNorms) => normSchedule(inner, { norms, learningRate: 0.1 })],
  ])("%s leaves channels of zeros at zero, and all others numbers", async (_, follow) => {
    const numbers = Array.from(toNumbers(start()["body.weight"]!), (w, i) => (i < INPUTS ? 0 : w));
    const healthy: ChannelNorms = { stepsPerEpoch: 1, norms: { "body.weight": [[0.5, 1, 2]] } };
    // The gradient of a channel of zeros is huge behind a batch norm, whose epsilon is 1e-14 here: its step is the test.
    const inner: Optimizer = {
      learningRate: 0.1,
      apply: ({ ops, parameters, update }) => {
        for (const parameter of parameters)
          if (isWeight(parameter.path)) update(parameter, ops.mul(parameter.value, 0.9));
      },
    };
    const [, , w] = await weights(follow(inner, healthy), 2, {
      "body.weight": tensorOf("float64", [FEATURES, INPUTS], numbers),
    });
    expect(rows(w!)[0]).toEqual([0, 0, 0, 0, 0]);
    for (const norm of norms(w!).slice(1)) expect(norm).toBeGreaterThan(0.1);
  });

  describe("normSchedule", () => {
    it("puts norms where the record and the schedule say, at a constant rate", async () => {
      const schedule = (step: number): number => (step < 1 ? 0.1 : 0.01);
      const healthy: ChannelNorms = { stepsPerEpoch: 2, norms: { "body.weight": [[0.5, 1, 2]] } };
      const all = await weights(
        normSchedule(sgd({ learningRate: schedule }), { norms: healthy, learningRate: 0.1 }),
        3,
      );
      const expected = [0.5, 1, 2];
      expect(difference(norms(all[1]!), expected)).toBeLessThan(1e-13);
      for (const w of all.slice(2)) {
        expect(
          difference(
            norms(w),
            expected.map((n) => n * Math.sqrt(10)),
          ),
        ).toBeLessThan(1e-12);
      }
      // The second step is one of rate 0.1 from there.
      const [, plain] = await weights(weightAlone(0.1), 1, { "body.weight": all[1]! });
      expect(difference(directions(all[2]!), directions(plain!))).toBeLessThan(0.02);
    });
  });
});

describe("optimizers that are given what does not fit", () => {
  const build = (optimizer: Optimizer) => () => stepOf(optimizer);
  const inner = sgd({ learningRate: 0.1 });

  it("refuse numbers and paths", () => {
    expect(() => projected(inner, { match: isWeight, norm: 0 })).toThrow(
      "projected: norm must be a positive number, got 0.",
    );
    const none: ChannelNorms = { stepsPerEpoch: 1, norms: {} };
    expect(() => normSchedule(inner, { norms: none, learningRate: -1 })).toThrow(
      "normSchedule: learningRate must be a positive number, got -1.",
    );
    expect(build(projected(inner, { match: () => false, norm: 1 }))).toThrow(
      "projected: a trained parameter must match, got none among body.weight, norm.weight, norm.bias.",
    );
    expect(build(projected(inner, { match: () => true, norm: 1 }))).toThrow(
      'projected: parameters must have output channels of several numbers, got "norm.weight" [3]. Match weights only.',
    );
    expect(build(correctedRate(inner, { norms: none }))).toThrow(OptionError);
    expect(build(correctedRate(inner, { norms: none }))).toThrow("got 0 paths and 1 steps.");
    const other: ChannelNorms = { stepsPerEpoch: 1, norms: { "other.weight": [[1]] } };
    expect(build(correctedRate(inner, { norms: other }))).toThrow('got "other.weight". Parameters: body.weight,');
  });

  it("refuse records of other channels", () => {
    const two: ChannelNorms = { stepsPerEpoch: 1, norms: { "body.weight": [[1, 1, 1], [1, 1]] } }; // biome-ignore format: one row
    const act = build(normSchedule(inner, { norms: two, learningRate: 0.1 }));
    expect(act).toThrow(ShapeError);
    expect(act).toThrow('normSchedule: norms of "body.weight" [3, 5] must have a row for each pass');
  });
});
