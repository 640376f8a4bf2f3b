/** Batch norms of every deviation: values, gradients with ties, ghost batches, statistics. */
import { beforeAll, describe, expect, it } from "vitest";
import { checkGradient } from "../../../test/gradients/check-gradient.ts";
import { runLayer } from "../../../test/nn/run-layer.ts";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../../test/support/engines.ts";
import { Scope, type VariableDeclaration } from "../../build/index.ts";
import type { Value } from "../../program/index.ts";
import type { Runtime } from "../../runtime/index.ts";
import { nodeRuntime } from "../../runtime/node.ts";
import { float32, type Random, seededRandom, Tensor, tensorOf, toNumbers } from "../../tensor/index.ts";
import { type BatchNormOptions, batchNorm } from "../batch-norm.ts";
import type { DeviationChoice } from "./deviation-of.ts";

const CHOICES: readonly DeviationChoice[] = [
  "l2",
  "l1",
  { p: 3 },
  "l-infinity",
  { top: 2 },
  "range",
  { range: 2 },
  "none",
];

/** Numbers apart from each other; with the seed of the gradients, magnitudes around their means are apart too: no kink is near. */
function apartFromMeans(shape: readonly number[], seed: number): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  const random = seededRandom(seed);
  const values = Float64Array.from({ length: count }, (_, i) => (i + 0.3 * Math.sin(i * i)) / count - 0.5);
  for (let i = count - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
  return new Tensor(
    "float64",
    shape,
    values.map((x) => 4 * x),
  );
}

function isChunked(deviation: (typeof CHOICES)[number]): boolean {
  return typeof deviation === "object" && "range" in deviation;
}

function inFloat64(ops: ConstructorParameters<typeof Scope>[0], updated: Map<string, Value>): Scope {
  const variables = {
    declare: (_path: string, { shape }: VariableDeclaration) =>
      ops.constant(tensorOf("float64", shape, new Array(shape[0]!).fill(1))),
    update: (path: string, value: Value) => updated.set(path, value),
  };
  return new Scope(ops, { variables, training: true, dtype: "float64" });
}

describeUnless(reasonWithoutOnnxRuntimeNode(), "batch norms by deviation", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  describe("have right gradients, of y and of their statistics, and of gradients", () => {
    const shapes = [
      [8, 2],
      [4, 2, 2, 2],
    ];
    const cases = shapes.flatMap((shape) =>
      [undefined, shape[0]! / 2].flatMap((ghost) =>
        CHOICES.map((deviation) => ({ shape, ghost, deviation })).filter(
          // Chunks of one value have no range.
          (one) => !isChunked(one.deviation) || (ghost ?? shape[0]!) >= 4 || shape.length > 2,
        ),
      ),
    );
    it.each(cases.map((one) => [JSON.stringify(one), one] as const))(
      "%s",
      async (title, { shape, ghost, deviation }) => {
        const wrong = await checkGradient(
          {
            title,
            covers: [],
            inputs: [apartFromMeans(shape, 344)],
            second: ghost === undefined && shape.length === 2,
            build: (ops, x) => {
              const updated = new Map<string, Value>();
              const y = batchNorm({ deviation, ...(ghost && { ghost }) })(x, inFloat64(ops, updated));
              return [y, ...updated.values()];
            },
          },
          runtime,
        );
        expect(wrong).toEqual([]);
      },
    );
  });

  /** dx of y = (x - mean) / d for given dy, by the formulas of the specification, with ties as it says. */
  function closedForm(x: readonly number[], g: readonly number[], kind: "l1" | "range" | "top-2", c: number): number[] {
    const n = x.length;
    const mu = x.reduce((a, b) => a + b) / n;
    const centered = x.map((v) => v - mu);
    const signs = centered.map(Math.sign);
    const order = x.map((_, i) => i).sort((i, j) => Math.abs(centered[j]!) - Math.abs(centered[i]!) || i - j);
    const top = order.slice(0, 2);
    const [high, low] = [x.indexOf(Math.max(...x)), x.indexOf(Math.min(...x))];
    const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
    const statistic = {
      l1: sum(centered.map(Math.abs)) / n,
      range: x[high]! - x[low]!,
      "top-2": sum(top.map((i) => Math.abs(centered[i]!))) / 2,
    }[kind];
    const d = c * statistic + 1e-5;
    const a = sum(g.map((value, i) => value * centered[i]!)) / d;
    const slope = (i: number) =>
      ({
        l1: (c / n) * (signs[i]! - sum(signs) / n),
        range: c * (Number(i === high) - Number(i === low)),
        "top-2": (c / 2) * (Number(top.includes(i)) * signs[i]! - sum(top.map((j) => signs[j]!)) / n),
      })[kind];
    return g.map((value, i) => (value - sum(g) / n) / d - (a / d) * slope(i));
  }

  it.each<["l1" | "range" | "top-2", DeviationChoice, number[]]>([
    ["l1", "l1", [1, 1, 3, -1, 1, 1]],
    ["l1", "l1", [2, 1, 3, -1, 5, 0.5]],
    ["range", "range", [1, 4, 4, -2, -2, 0]],
    ["top-2", { top: 2 }, [1, 4, 3.5, -2, -1.5, 0]],
  ])("give ties of %s to one element, and none to what equals the mean: %j %j", async (kind, deviation, x) => {
    const g = [0.3, -1, 0.7, 0.2, 1.5, -0.4];
    const { gradients } = await runLayer(
      runtime,
      (inputs, scope) => batchNorm({ deviation, affine: false, constant: 0.8 })(inputs.x!, scope),
      { inputs: { x: float32([6, 1], x) }, weights: () => float32([6, 1], g) },
    );
    const expected = closedForm(x, g, kind, 0.8);
    const got = [...toNumbers(gradients.x!)];
    // A few float32 operations on numbers of size 1.
    got.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 5);
    });
    // Adding to all of a channel, or scaling it, changes nothing.
    expect(got.reduce((a, b) => a + b)).toBeCloseTo(0, 5);
    expect(got.reduce((a, b, i) => a + b * x[i]!, 0)).toBeCloseTo(0, 4);
  });

  it.each(CHOICES.filter((choice) => choice !== "none"))("does not see scale and shift: %j", async (deviation) => {
    const { data } = apartFromMeans([8, 1, 4], 3);
    const x = Array.from(data as Float64Array);
    const run = async (map: (value: number) => number) => {
      const layer = batchNorm({ deviation });
      const { y } = await runLayer(runtime, (inputs, scope) => layer(inputs.x!, scope), {
        inputs: { x: float32([8, 1, 4], x.map(map)) },
      });
      return [...toNumbers(y)];
    };
    const [plain, moved] = [await run((v) => v), await run((v) => 30 * v + 7)];
    // Epsilon, 1e-5 of a deviation of 1, is divided by 30.
    moved.forEach((value, i) => {
      expect(value).toBeCloseTo(plain[i]!, 4);
    });
  });

  it.each<[DeviationChoice, number]>([
    ["l1", 0.02],
    [{ p: 3 }, 0.03],
    ["l-infinity", 0.25],
    [{ top: 10 }, 0.12],
    ["range", 0.2],
    [{ range: 16 }, 0.05],
  ])("makes the deviation of normal numbers 1: %j", async (deviation, tolerance) => {
    const random = seededRandom(2);
    const numbers = Float32Array.from({ length: 4096 }, () => 3 * random.normal() + 1);
    const { y } = await runLayer(runtime, (inputs, scope) => batchNorm({ deviation })(inputs.x!, scope), {
      inputs: { x: float32([64, 1, 64], numbers) },
    });
    const values = toNumbers(y);
    // Extremes of one draw scatter: their deviation is 5 to 10 % of them.
    expect(Math.abs(Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / 4096) - 1)).toBeLessThan(tolerance);
  });

  // Norm matters, section 3: what L1 makes of numbers that are not normal.
  it.each<[string, number, (random: Random) => number]>([
    ["uniform", 1.085, (random) => random.uniform()],
    ["Laplace", 0.886, (random) => (random.uniform() < 0.5 ? 1 : -1) * Math.log(1 - random.uniform())],
    ["rectified normal", 0.991, (random) => Math.max(0, random.normal())],
  ])("L1 of %s numbers is %d of their standard deviation", async (_, expected, draw) => {
    const random = seededRandom(3);
    const numbers = Float32Array.from({ length: 65_536 }, () => draw(random));
    const { updates } = await runLayer(
      runtime,
      (inputs, scope) => batchNorm({ deviation: "l1", running: "deviation", momentum: 1 })(inputs.x!, scope),
      { inputs: { x: float32([256, 1, 256], numbers) } },
    );
    const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
    const sigma = Math.sqrt(numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length);
    // Both scatter by about half a percent.
    expect(Math.abs(toNumbers(updates.runningDeviation!)[0]! / sigma - expected)).toBeLessThan(0.01);
  });

  it.each(CHOICES)("makes constant channels 0 with gradients that are numbers: %j", async (deviation) => {
    const { y, gradients, updates } = await runLayer(
      runtime,
      (inputs, scope) => batchNorm({ deviation })(inputs.x!, scope),
      {
        inputs: { x: float32([4, 2, 2], new Float32Array(16).fill(0.1)) },
        weights: (shape) =>
          float32(
            shape,
            Array.from({ length: 16 }, (_, i) => i),
          ),
      },
    );
    const numbers = [y, ...Object.values(gradients), ...Object.values(updates)].flatMap((tensor) => [
      ...toNumbers(tensor),
    ]);
    expect(numbers.every(Number.isFinite)).toBe(true);
    expect(Math.max(...toNumbers(y).map(Math.abs))).toBeLessThan(1e-2);
  });

  const options: readonly BatchNormOptions[] = [
    ...CHOICES.map((deviation): BatchNormOptions => ({ deviation })),
    { running: "deviation" },
    { deviation: "l1", running: "inverse" },
  ];
  it.each(
    options.flatMap((one) =>
      [
        [8, 3],
        [8, 3, 2, 2],
      ].map((shape) => [JSON.stringify(one), shape, one] as const),
    ),
  )("in ghost batches is one norm after the other: %s %j", async (_title, shape, one) => {
    const x = apartFromMeans(shape, 9);
    const half = x.size / 2;
    const parts = [0, 1].map((k) =>
      float32([4, ...shape.slice(1)], Array.from(x.data as Float64Array).slice(k * half, (k + 1) * half)),
    );
    const whole = float32(shape, Array.from(x.data as Float64Array));
    const weights = (size: readonly number[]) =>
      float32(
        size,
        Array.from({ length: size.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i % half)),
      );
    const [layer, ghosts] = [batchNorm(one), batchNorm({ ...one, ghost: 4 })];
    const together = await runLayer(runtime, (inputs, scope) => ghosts(inputs.x!, scope), {
      inputs: { x: whole },
      weights,
    });
    const first = await runLayer(runtime, (inputs, scope) => layer(inputs.x!, scope), {
      inputs: { x: parts[0]! },
      weights,
    });
    const second = await runLayer(runtime, (inputs, scope) => layer(inputs.x!, scope), {
      inputs: { x: parts[1]! },
      weights,
      variable: (path) => first.updates[path],
    });
    const close = (a: Tensor, b: readonly number[], digits: number) => {
      [...toNumbers(a)].forEach((value, i) => {
        expect(value).toBeCloseTo(b[i]!, digits);
      });
    };
    close(together.y, [...toNumbers(first.y), ...toNumbers(second.y)], 5);
    close(together.gradients.x!, [...toNumbers(first.gradients.x!), ...toNumbers(second.gradients.x!)], 5);
    for (const path of Object.keys(together.updates))
      close(together.updates[path]!, [...toNumbers(second.updates[path]!)], 6);
  });

  it("puts what is left of a batch into its last ghost batch", async () => {
    const x = apartFromMeans([7, 2], 4);
    const all = Array.from(x.data as Float64Array);
    const run = async (layer: ReturnType<typeof batchNorm>, rows: readonly number[]) => [
      ...toNumbers(
        (
          await runLayer(runtime, (inputs, scope) => layer(inputs.x!, scope), {
            inputs: { x: float32([rows.length / 2, 2], rows) },
          })
        ).y,
      ),
    ];
    const got = await run(batchNorm({ ghost: 3, deviation: "l1" }), all);
    const expected = [
      ...(await run(batchNorm({ deviation: "l1" }), all.slice(0, 6))),
      ...(await run(batchNorm({ deviation: "l1" }), all.slice(6))),
    ];
    got.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 5);
    });
    // A batch of less than two ghost batches is one.
    expect(await run(batchNorm({ ghost: 5 }), all)).toEqual(await run(batchNorm(), all));
  });
});
