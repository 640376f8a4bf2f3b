import { beforeAll, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import type { Layer, Optimizer } from "../build/index.ts";
import * as nn from "../nn/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { type Tensor, toNumbers } from "../tensor/index.ts";
import { compile, type Training, trainStep } from "../train/index.ts";
import { type Int8Options, int8 } from "./int8.ts";
import { gaussian, relativeDifference } from "./precision.cases.ts";

/** Keeps gradients under `gradient.<path>`, and changes nothing. */
const keeping: Optimizer = {
  learningRate: 0,
  apply: ({ gradients, metric }) => {
    for (const { parameter, gradient } of gradients()) metric(`gradient.${parameter.path}`, gradient);
  },
};

interface Case {
  readonly title: string;
  readonly layer: Layer;
  readonly x: readonly number[];
  readonly y: readonly number[];
}

const LINEAR: Case = { title: "linear", layer: nn.linear(48), x: [40, 30], y: [40, 48] };
const CONV: Case = {
  title: "conv",
  layer: nn.conv({ channels: 6, kernel: 3, padding: 1 }),
  x: [4, 5, 7, 7],
  y: [4, 6, 7, 7],
};

/**
 * A layer whose gradient is fed, and whose input has one: y = layer(x + shift), loss = sum(y g). So dL/dy is g, and dL/dx that of
 * the shift. What is rounded comes out as metrics `exact.<role>` and `rounded.<role>`.
 */
function stepOf({ layer, x, y }: Case, options: Int8Options) {
  return trainStep({
    inputs: { x: { shape: x }, g: { shape: y } },
    loss: (values, scope) => {
      const shift = scope.parameter("shift", x, nn.zeros());
      const result = layer(scope.ops.add(values.x!, shift), scope.child("layer"));
      return scope.ops.reduceSum(scope.ops.mul(result, values.g!), { keepDims: false });
    },
    optimizer: keeping,
    precision: int8(options),
    observeRounding: (_, { role, exact, rounded }) => ({ [`exact.${role}`]: exact, [`rounded.${role}`]: rounded }),
  });
}

/** Gradients of a tailed distribution: most of their numbers are small. */
function batchOf({ x, y }: Case): Record<string, Tensor> {
  const g = gaussian(y, 2, 1e-3);
  const numbers = g.data as Float32Array;
  numbers.forEach((number, i) => {
    numbers[i] = 1e5 * number ** 3;
  });
  return { x: gaussian(x, 1), g };
}

describeUnless(reasonWithoutOnnxRuntimeNode(), "gradient bifurcation", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  async function withTraining<Result>(
    subject: Case,
    options: Int8Options,
    use: (training: Training) => Promise<Result>,
  ) {
    const training = await compile(stepOf(subject, options), { runtime, seed: 3 });
    try {
      return await use(training);
    } finally {
      await training.release();
    }
  }

  async function gradientsOf(subject: Case, options: Int8Options): Promise<Record<string, number[]>> {
    const results = await withTraining(subject, options, (training) => training.run(batchOf(subject)));
    return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, Array.from(toNumbers(tensor))]));
  }

  it.each([LINEAR, CONV])("$title: weights see the gradient as it is, bit for bit", async (subject) => {
    const split = await gradientsOf(subject, { weightGradients: "float" });
    const exact = await gradientsOf(subject, { gradients: { bits: "float" } });
    expect(split["gradient.layer.weight"]).toEqual(exact["gradient.layer.weight"]);
    expect(split["gradient.layer.bias"]).toEqual(exact["gradient.layer.bias"]);
    expect(split["gradient.shift"]).not.toEqual(exact["gradient.shift"]);
    // Without bifurcation they do not, and biases do.
    const same = await gradientsOf(subject, { weightGradients: "same" });
    expect(same["gradient.layer.weight"]).not.toEqual(exact["gradient.layer.weight"]);
    expect(same["gradient.layer.bias"]).toEqual(exact["gradient.layer.bias"]);
    expect(same["gradient.shift"]).toEqual(split["gradient.shift"]);
  });

  it.each([LINEAR, CONV])("$title: 16 bits are nearly the gradient, 8 are not", async (subject) => {
    const exact = (await gradientsOf(subject, { gradients: { bits: "float" } }))["gradient.layer.weight"]!;
    const distance = async (options: Int8Options) =>
      relativeDifference((await gradientsOf(subject, options))["gradient.layer.weight"]!, exact);
    expect(await distance({ weightGradients: 16 })).toBeLessThan(1e-3);
    expect(await distance({ weightGradients: 8 })).toBeGreaterThan(1e-3);
    expect(await distance({ weightGradients: "same", gradients: { bits: 4 } })).toBeGreaterThan(0.1);
  });

  it("layers below see Q(g) times the rounded weights, and weights the rounded input times g", async () => {
    const results = await gradientsOf(LINEAR, { weightGradients: "float" });
    const [rows, features, outputs] = [40, 30, 48];
    const g = Array.from(toNumbers(batchOf(LINEAR).g!));
    expect(results["exact.gradient"]).toEqual(g);
    const [w, q, x] = [results["rounded.weight"]!, results["rounded.gradient"]!, results["rounded.activation"]!];
    // linear keeps its weights as [outputs, features] and multiplies by their transpose.
    const at = w.length === outputs * features ? (o: number, f: number) => w[weightIndex(o, f)]! : () => Number.NaN;
    function weightIndex(o: number, f: number): number {
      return isTransposed ? o * features + f : f * outputs + o;
    }
    const shape = stepOf(LINEAR, {}).variables.find(({ path }) => path === "layer.weight")!.shape;
    const isTransposed = shape[0] === outputs;
    const dx = Array.from({ length: rows * features }, (_, i) => {
      const [row, f] = [Math.floor(i / features), i % features];
      let sum = 0;
      for (let o = 0; o < outputs; o++) sum += q[row * outputs + o]! * at(o, f);
      return sum;
    });
    expect(relativeDifference(results["gradient.shift"]!, dx)).toBeLessThan(1e-6);
    const dw = new Array<number>(outputs * features).fill(0);
    for (let row = 0; row < rows; row++)
      for (let o = 0; o < outputs; o++)
        for (let f = 0; f < features; f++) dw[weightIndex(o, f)]! += g[row * outputs + o]! * x[row * features + f]!;
    expect(relativeDifference(results["gradient.layer.weight"]!, dw)).toBeLessThan(1e-6);
  });

  it.each<[string, Int8Options]>([
    ["8 bits", {}],
    ["3 bits", { gradients: { bits: 3 }, weightGradients: "same" }],
    ["3 bits from the least to the largest number", { gradients: { bits: 3 }, weightGradients: "same", grid: "range" }],
    ["logarithmic ones of 3 bits", { gradients: { bits: 3, logarithmic: true }, weightGradients: "same" }],
  ])("gradients are right in the mean over many steps: %s", async (_, options) => {
    // Examples far apart share their noise: a piece has room for 32 of them.
    const subject: Case = { title: "wide", layer: nn.linear(256), x: [64, 10], y: [64, 256] };
    const batch = batchOf(subject);
    const draws = 400;
    const paths = ["gradient.shift", "gradient.layer.weight"];
    const exact = await withTraining(subject, { ...options, gradients: { bits: "float" } }, (training) =>
      training.run(batch),
    );
    const sums = new Map(paths.map((path) => [path, { sum: new Float64Array(2560), squares: new Float64Array(2560) }]));
    await withTraining(subject, options, async (training) => {
      for (let draw = 0; draw < draws; draw++) {
        const results = await training.run(batch);
        for (const [path, { sum, squares }] of sums)
          toNumbers(results[path]!).forEach((number, i) => {
            sum[i]! += number / draws;
            squares[i]! += number ** 2 / draws;
          });
      }
    });
    for (const [path, { sum, squares }] of sums) {
      const expected = toNumbers(exact[path]!);
      const length = expected.length;
      let [within, deviations] = [0, 0];
      for (let i = 0; i < length; i++) {
        const error = Math.sqrt(Math.max(1e-30, squares[i]! - sum[i]! ** 2) / draws);
        const z = (sum[i]! - expected[i]!) / error;
        if (Math.abs(z) < 3) within++;
        deviations += z ** 2 / length;
      }
      // 99.7 % of normal deviations are within three standard errors; their mean square is 1, a bias would add to it.
      expect(within / length, path).toBeGreaterThan(0.985);
      expect(deviations, path).toBeLessThan(1.3);
    }
  });

  it("gradients rounded to the nearest code are wrong in the mean: the test above can fail", async () => {
    const options: Int8Options = { gradients: { bits: 3, rounding: "nearest" }, weightGradients: "same" };
    const exact = await gradientsOf(LINEAR, { gradients: { bits: "float" } });
    const found = await gradientsOf(LINEAR, options);
    expect(relativeDifference(found["gradient.shift"]!, exact["gradient.shift"]!)).toBeGreaterThan(0.3);
    // Every step the same.
    const [first, second] = await withTraining(LINEAR, options, async (training) => [
      await training.run(batchOf(LINEAR)),
      await training.run(batchOf(LINEAR)),
    ]);
    expect(toNumbers(first!["gradient.shift"]!)).toEqual(toNumbers(second!["gradient.shift"]!));
  });
});
