import { beforeAll, describe, expect, it } from "vitest";
import { reference } from "../../test/nn/reference.ts";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import { OptionError } from "../errors.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { toNumbers } from "../tensor/index.ts";
import { compile } from "../train/index.ts";
import { adagrad } from "./adagrad.ts";
import { adam, adamW } from "./adam.ts";
import { clipByNorm, clipByValue } from "./clip.ts";
import {
  describeOptimizer,
  largestDifference,
  type OptimizerCase,
  pathOf,
  quadratic,
  startOf,
} from "./optimizer.cases.ts";
import { rmsprop } from "./rmsprop.ts";
import { cosine } from "./schedules.ts";
import { sgd } from "./sgd.ts";

const moments = ["firstMoment", "secondMoment"];
/** Adaptive steps do not get shorter near the minimum: the learning rate has to. */
const falling = cosine({ learningRate: 0.1, steps: 300 });

const cases: readonly OptimizerCase[] = [
  { title: "sgd", optimizer: sgd({ learningRate: 0.1 }), slots: [] },
  {
    title: "sgd with momentum",
    optimizer: sgd({ learningRate: 0.1, momentum: 0.9, weightDecay: 0.05 }),
    slots: ["momentum"],
    converging: sgd({ learningRate: 0.1, momentum: 0.9 }),
  },
  {
    title: "sgd with dampening",
    optimizer: sgd({ learningRate: 0.1, momentum: 0.9, dampening: 0.5 }),
    slots: ["momentum"],
  },
  {
    title: "sgd, Nesterov's",
    optimizer: sgd({ learningRate: 0.1, momentum: 0.8, nesterov: true, weightDecay: 0.05 }),
    slots: ["momentum"],
    converging: sgd({ learningRate: 0.1, momentum: 0.8, nesterov: true }),
  },
  {
    title: "adam",
    optimizer: adam({ learningRate: 0.1, weightDecay: 0.05 }),
    slots: moments,
    converging: adam({ learningRate: falling }),
  },
  {
    title: "adam with betas",
    optimizer: adam({ learningRate: 0.1, betas: [0.5, 0.7], epsilon: 1e-2 }),
    slots: moments,
    converging: adam({ learningRate: falling, betas: [0.5, 0.7] }),
  },
  {
    title: "adam, AMSGrad",
    optimizer: adam({ learningRate: 0.3, betas: [0.8, 0.9], amsgrad: true }),
    slots: [...moments, "largestSecondMoment"],
  },
  {
    title: "adamW",
    optimizer: adamW({ learningRate: 0.1 }),
    slots: moments,
    converging: adamW({ learningRate: falling, weightDecay: 0 }),
  },
  {
    title: "adamW, AMSGrad",
    optimizer: adamW({ learningRate: 0.3, betas: [0.8, 0.9], weightDecay: 0.1, amsgrad: true }),
    slots: [...moments, "largestSecondMoment"],
    converging: adamW({ learningRate: 0.3, betas: [0.8, 0.9], weightDecay: 0, amsgrad: true }),
  },
  {
    title: "rmsprop",
    optimizer: rmsprop({ learningRate: 0.05, weightDecay: 0.05 }),
    slots: ["squareAverage"],
    converging: rmsprop({ learningRate: falling }),
  },
  {
    title: "rmsprop with momentum, centered",
    optimizer: rmsprop({ learningRate: 0.02, decay: 0.9, momentum: 0.8, centered: true }),
    slots: ["squareAverage", "gradientAverage", "momentum"],
    converging: rmsprop({
      learningRate: cosine({ learningRate: 0.01, steps: 300 }),
      decay: 0.9,
      momentum: 0.8,
      centered: true,
    }),
  },
  {
    title: "adagrad",
    optimizer: adagrad({ learningRate: 0.2 }),
    slots: ["squareSum"],
    converging: adagrad({ learningRate: 0.5 }),
  },
  {
    title: "adagrad with everything",
    optimizer: adagrad({ learningRate: 0.2, learningRateDecay: 0.1, weightDecay: 0.05, start: 0.3 }),
    slots: ["squareSum"],
    converging: adagrad({ learningRate: 0.9, start: 0.3 }),
  },
  { title: "clipByNorm", optimizer: clipByNorm(sgd({ learningRate: 0.1 }), 1.5), slots: [] },
  { title: "clipByValue", optimizer: clipByValue(sgd({ learningRate: 0.1 }), 0.8), slots: [] },
  {
    title: "parameter groups",
    optimizer: sgd({
      learningRate: 0.1,
      momentum: 0.9,
      weightDecay: 0.05,
      groups: [{ match: (path) => path.startsWith("a."), learningRateFactor: 0.1, weightDecay: 0 }],
    }),
    slots: ["momentum"],
    converging: sgd({
      learningRate: 0.1,
      momentum: 0.9,
      groups: [{ match: (path) => path.startsWith("a."), learningRateFactor: 0.3 }],
    }),
  },
];

for (const one of cases) describeOptimizer(one);

it("every optimizer of the reference is compared", () => {
  expect(cases.map(({ title }) => title).sort()).toEqual(Object.keys(reference.optimizers).sort());
});

describeUnless(reasonWithoutOnnxRuntimeNode(), "optimizers", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  it("are not compared with PyTorch too kindly", async () => {
    const path = await pathOf(runtime, quadratic(sgd({ learningRate: 0.1001 })), 6);
    expect(largestDifference(path, reference.optimizers.sgd!)).toBeGreaterThan(1e-4);
  });

  it("compute in float64 too", async () => {
    const path = await pathOf(runtime, quadratic(adam({ learningRate: 0.1, weightDecay: 0.05 }), "float64"), 6);
    // The reference has nine digits.
    expect(largestDifference(path, reference.optimizers.adam!)).toBeLessThan(2e-9);
  });

  it("decay weights beside the gradient by hand: w (1 - 0.1 0.5) - 0.1 g", async () => {
    const [after] = await pathOf(runtime, quadratic(sgd({ learningRate: 0.1, weightDecay: 0.5, decoupled: true })), 1);
    const [start, minimum] = [Math.sin(1), Math.sin(4)];
    expect(after![0]).toBeCloseTo(start * 0.95 - 0.1 * (start - minimum), 6);
  });

  it("leave frozen parameters as they are, whatever wraps them, and need no gradient for them", async () => {
    const frozen = sgd({
      learningRate: 0.1,
      momentum: 0.9,
      weightDecay: 0.1,
      groups: [{ match: (path) => path === "a.weight", frozen: true }],
    });
    const step = quadratic(clipByNorm(frozen, 1));
    expect(step.variables.map(({ path }) => path)).not.toContain("optimizer.momentum.a.weight");
    const training = await compile(step, { runtime, variables: startOf() });
    for (let i = 0; i < 3; i++) await training.run({});
    expect((await training.variables())["a.weight"]).toEqual(startOf()["a.weight"]);
    expect((await training.variables())["b.weight"]).not.toEqual(startOf()["b.weight"]);
    await training.release();
  });

  it("measure the norm of what is trained only", async () => {
    const isA = (path: string) => path === "a.weight";
    const frozen = sgd({ learningRate: 1, groups: [{ match: isA, frozen: true }] });
    const training = await compile(quadratic(clipByNorm(frozen, 0.01)), { runtime, variables: startOf() });
    await training.run({});
    const before = toNumbers(startOf()["b.weight"]!);
    const moved = Math.hypot(...toNumbers((await training.variables())["b.weight"]!).map((w, i) => w - before[i]!));
    // Differences of numbers near 1 have errors near 1e-7.
    expect(moved).toBeCloseTo(0.01, 6);
    await training.release();
  });
});

describe("groups that match nothing", () => {
  const match = (path: string) => path.startsWith("c.");

  it("are refused: their settings would be ignored", () => {
    expect(() => quadratic(sgd({ learningRate: 0.1, groups: [{ match, weightDecay: 0 }] }))).toThrow(
      "optimizer: every parameter group must match a parameter, got none for groups[0]. Parameters: a.weight, b.weight.",
    );
    expect(() => quadratic(sgd({ learningRate: 0.1, groups: [{ match, frozen: true }] }))).toThrow(
      "trainStep: the optimizer's frozen groups must match a parameter, got none. Parameters: a.weight, b.weight.",
    );
  });
});

describe("options out of range", () => {
  const learningRate = 0.1;

  it.each([
    ["sgd: momentum must be a number of at least 0, got -0.1.", () => sgd({ learningRate, momentum: -0.1 })],
    ["sgd: weightDecay must be a number of at least 0, got NaN.", () => sgd({ learningRate, weightDecay: Number.NaN })],
    [
      "sgd: nesterov must have momentum and no dampening, got momentum 0 and dampening 0.",
      () => sgd({ learningRate, nesterov: true }),
    ],
    ["adam: betas[1] must be at least 0 and less than 1, got 1.", () => adam({ learningRate, betas: [0.9, 1] })],
    ["adamW: epsilon must be a number of at least 0, got -1.", () => adamW({ learningRate, epsilon: -1 })],
    ["rmsprop: decay must be a number of at least 0, got -1.", () => rmsprop({ learningRate, decay: -1 })],
    ["adagrad: start must be a number of at least 0, got -1.", () => adagrad({ learningRate, start: -1 })],
    ["clipByNorm: maximum must be positive, got 0.", () => clipByNorm(sgd({ learningRate }), 0)],
    ["clipByValue: maximum must be positive, got -1.", () => clipByValue(sgd({ learningRate }), -1)],
  ])("are refused: %s", (message, act) => {
    expect(act).toThrow(OptionError);
    expect(act).toThrow(message);
  });
});
