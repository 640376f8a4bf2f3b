import { beforeAll, describe, expect, it } from "vitest";
import { buildScope } from "../../test/nn/build-scope.ts";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import type { Layer, Optimizer } from "../build/index.ts";
import { OptionError } from "../errors.ts";
import { readModel } from "../onnx/index.ts";
import { projected, sgd } from "../optim/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, type Tensor, tensorOf, toNumbers } from "../tensor/index.ts";
import { compile, exportOnnx, importOnnx, trainStep } from "../train/index.ts";
import { relu } from "./activations.ts";
import { channelNormsOf, type NormExponent } from "./channel-norm.ts";
import { conv } from "./conv.ts";
import { convTranspose } from "./conv-transpose.ts";
import { linear } from "./linear.ts";
import { sequential } from "./sequential.ts";
import { boundedWeightNorm, weightNorm } from "./weight-norm.ts";

const INPUTS = 4;
const FEATURES = 3;
const wave = (shape: readonly number[], phase = 0): Tensor =>
  tensorOf(
    "float64",
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(1.7 * i + phase) + 0.3),
  );

/** A step in float64 whose loss is the sum of y times weights, with the gradient of v as the change of one plain step. */
function stepOf(layer: Layer, optimizer: Optimizer = sgd({ learningRate: 1 })) {
  return trainStep({
    inputs: { x: { shape: [5, INPUTS], dtype: "float64" }, c: { shape: [5, FEATURES], dtype: "float64" } },
    dtype: "float64",
    loss: ({ x, c }, scope) => scope.ops.reduceSum(scope.ops.mul(layer(x!, scope), c!), { keepDims: false }),
    optimizer,
  });
}

const batch = { x: wave([5, INPUTS], 2), c: wave([5, FEATURES], 4) };
const plain = linear(FEATURES, { bias: false });
const forms: readonly [string, (p: NormExponent) => Layer][] = [
  ["weightNorm", (p) => weightNorm(plain, { p })],
  ["boundedWeightNorm", (p) => boundedWeightNorm(plain, { p })],
  ["boundedWeightNorm with gains", (p) => boundedWeightNorm(plain, { p, gains: "learned" })],
];
const exponents: readonly NormExponent[] = [1, 2, "inf"];
const everyForm = forms.flatMap(([title, make]) => exponents.map((p) => [title, p, make(p)] as const));

describeUnless(reasonWithoutOnnxRuntimeNode(), "normalized weights", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  /** Loss and variables before and after one step. */
  async function takeStep(layer: Layer, variables: Readonly<Record<string, Tensor>> = {}, optimizer?: Optimizer) {
    const training = await compile(stepOf(layer, optimizer), { runtime, variables });
    const before = await training.variables();
    const loss = toNumbers((await training.run(batch)).loss!)[0]!;
    const after = await training.variables();
    await training.release();
    return { loss, before, after };
  }

  /** The weight that a model computes with. */
  function weightOf(layer: Layer, variables: Readonly<Record<string, Tensor>>): Tensor {
    const { bytes } = exportOnnx({
      inputs: { x: { shape: ["batch", INPUTS], dtype: "float64" } },
      outputs: ({ x }, scope) => layer(x!, scope),
      variables,
    });
    const { graph } = readModel(bytes);
    expect(graph.nodes.map(({ operator }) => operator)).not.toContain("Div");
    const constants = graph.nodes.flatMap((node) => node.inputs.filter((input) => input?.constant));
    expect(constants).toHaveLength(1);
    expect(constants[0]!.name).toBe("weight");
    return constants[0]!.constant!.load();
  }

  const changed = (before: Tensor, after: Tensor): number[] => {
    const from = toNumbers(before);
    return Array.from(toNumbers(after), (x, i) => from[i]! - x);
  };

  it.each(everyForm)("%s, p = %s: gradients are those of differences, and v . dv = 0", async (_, __, layer) => {
    const given = { weight: wave([FEATURES, INPUTS]) };
    const { before, after } = await takeStep(layer, given);
    for (const path of Object.keys(before).filter((one) => /weight$|gain$/.test(one))) {
      const gradient = changed(before[path]!, after[path]!);
      const numbers = Array.from(toNumbers(before[path]!));
      const step = 1e-5;
      for (let i = 0; i < numbers.length; i += 2) {
        const at = async (shift: number) => {
          const moved = tensorOf("float64", before[path]!.shape, numbers.with(i, numbers[i]! + shift));
          return (await takeStep(layer, { ...before, [path]: moved })).loss;
        };
        const difference = ((await at(step)) - (await at(-step))) / (2 * step);
        // Central differences of step 1e-5 err by some 1e-10.
        expect(gradient[i]).toBeCloseTo(difference, 7);
      }
      if (path !== "weight") continue;
      for (let c = 0; c < FEATURES; c++) {
        const dot = numbers
          .slice(c * INPUTS, (c + 1) * INPUTS)
          .reduce((sum, v, i) => sum + v * gradient[c * INPUTS + i]!, 0);
        expect(Math.abs(dot)).toBeLessThan(1e-12);
      }
    }
  });

  it("has the gradient (rho / ||v||) (I - v^ v^T) dw", async () => {
    const { before, after } = await takeStep(boundedWeightNorm(plain), { weight: wave([FEATURES, INPUTS]) });
    const v = Array.from(toNumbers(before.weight!));
    const rho = toNumbers(before["weight.radius"]!)[0]!;
    const [x, c] = [toNumbers(batch.x), toNumbers(batch.c)];
    const dv = changed(before.weight!, after.weight!);
    for (let o = 0; o < FEATURES; o++) {
      const row = v.slice(o * INPUTS, (o + 1) * INPUTS);
      const norm = Math.hypot(...row);
      const dw = row.map((_, i) =>
        [0, 1, 2, 3, 4].reduce((sum, n) => sum + c[n * FEATURES + o]! * x[n * INPUTS + i]!, 0),
      );
      const along = row.reduce((sum, vi, i) => sum + (vi / norm) * dw[i]!, 0);
      row.forEach(
        (vi, i) => void expect(dv[o * INPUTS + i]).toBeCloseTo((rho / norm) * (dw[i]! - (vi / norm) * along), 11),
      );
    }
  });

  it.each(exponents)("keeps ||w_i|| = rho before and after a step, p = %s", async (p) => {
    const layer = boundedWeightNorm(plain, { p });
    const { before, after } = await takeStep(layer, { weight: wave([FEATURES, INPUTS]) });
    const start = channelNormsOf(wave([FEATURES, INPUTS]), { p, axis: 0 });
    const rho = Math.sqrt(start.reduce((sum, norm) => sum + norm ** 2, 0) / FEATURES);
    expect(changed(before.weight!, after.weight!).some((change) => Math.abs(change) > 0.1)).toBe(true);
    for (const variables of [before, after]) {
      for (const norm of channelNormsOf(weightOf(layer, variables), { p, axis: 0 })) expect(norm).toBeCloseTo(rho, 12);
    }
  });

  it("keeps the total of learned gains, and starts as the weight it was given", async () => {
    const layer = boundedWeightNorm(plain, { gains: "learned" });
    const { before, after } = await takeStep(layer, { weight: wave([FEATURES, INPUTS]) });
    toNumbers(weightOf(layer, before)).forEach((w: number, i: number) => {
      expect(w).toBeCloseTo(toNumbers(before.weight!)[i]!, 12);
    });
    const total = (variables: Readonly<Record<string, Tensor>>) => Math.hypot(...toNumbers(weightOf(layer, variables)));
    expect(total(after)).toBeCloseTo(Math.hypot(...toNumbers(before.weight!)), 12);
    const [first, second] = channelNormsOf(weightOf(layer, after), { p: 2, axis: 0 });
    expect(Math.abs(first! / second! - 1)).toBeGreaterThan(0.01);
  });

  it("computes the same from v and from 7 v, with a seventh of the gradient", async () => {
    const layer = boundedWeightNorm(plain);
    const one = await takeStep(layer, { weight: wave([FEATURES, INPUTS]) });
    const large = Array.from(toNumbers(one.before.weight!), (v) => 7 * v);
    const seven = await takeStep(layer, { ...one.before, weight: tensorOf("float64", [FEATURES, INPUTS], large) });
    expect(seven.loss).toBeCloseTo(one.loss, 11);
    const [dv, smaller] = [
      changed(one.before.weight!, one.after.weight!),
      changed(seven.before.weight!, seven.after.weight!),
    ];
    smaller.forEach((change, i) => void expect(change).toBeCloseTo(dv[i]! / 7, 11));
  });

  it.each(everyForm)("%s, p = %s: a channel of zeros stays zero, without a gradient", async (_, __, layer) => {
    const numbers = Array.from(toNumbers(wave([FEATURES, INPUTS])), (v, i) => (i < INPUTS ? 0 : v));
    const { before, after, loss } = await takeStep(layer, { weight: tensorOf("float64", [FEATURES, INPUTS], numbers) });
    expect(loss).not.toBeNaN();
    expect(changed(before.weight!, after.weight!).slice(0, INPUTS)).toEqual(
      [0, 0, 0, 0].map(() => expect.closeTo(0, 15)),
    );
    expect([...toNumbers(weightOf(layer, after)).slice(0, INPUTS)]).toEqual([0, 0, 0, 0]);
  });

  it("goes with a projection of v to the unit sphere", async () => {
    const optimizer = projected(sgd({ learningRate: 1 }), { match: (path) => path === "weight", norm: 1 });
    const { after } = await takeStep(boundedWeightNorm(plain), { weight: wave([FEATURES, INPUTS]) }, optimizer);
    for (const norm of channelNormsOf(after.weight!, { p: 2, axis: 0 })) expect(norm).toBeCloseTo(1, 12);
  });

  it("exports what it computes, convolutions and transposed ones", async () => {
    const model = sequential([
      boundedWeightNorm(conv({ channels: 3, kernel: 3, groups: 1 })),
      relu(),
      weightNorm(convTranspose({ channels: 2, kernel: 2 }), { axis: 1 }),
    ]);
    const step = trainStep({
      inputs: { x: { shape: [2, 2, 5, 5] } },
      loss: ({ x }, scope) => {
        const y = model(x!, scope);
        return {
          loss: scope.ops.reduceMean(scope.ops.square(y), { keepDims: false }),
          sum: scope.ops.reduceSum(y, { keepDims: false }),
        };
      },
      optimizer: sgd({ learningRate: 0.1 }),
    });
    const training = await compile(step, { runtime, seed: 3 });
    const x = float32(
      [2, 2, 5, 5],
      Float32Array.from({ length: 100 }, (_, i) => Math.sin(i)),
    );
    await training.run({ x });
    const variables = await training.variables();
    expect(variables["2.weight.gain"]!.shape).toEqual([2]);
    const { sum } = await training.run({ x });
    await training.release();
    const file = exportOnnx({
      inputs: { x: { shape: [2, 2, 5, 5] } },
      outputs: ({ x: input }, scope) => model(input!, scope),
      variables,
    });
    expect(readModel(file.bytes).graph.nodes.map(({ operator }) => operator)).toEqual([
      "Conv",
      "Relu",
      "ConvTranspose",
    ]);
    const session = await runtime.createSession(file);
    const { output } = await session.run({ x });
    await session.release();
    // Float32 sums of 100 numbers.
    expect(toNumbers(output!).reduce((a: number, b: number) => a + b, 0)).toBeCloseTo(toNumbers(sum!)[0]!, 3);
  });

  it("normalizes an imported model, starting from what it computes", async () => {
    const build = (layer: Layer, variables: Readonly<Record<string, Tensor>>) =>
      exportOnnx({ inputs: { x: { shape: ["batch", 4] } }, outputs: ({ x }, scope) => layer(x!, scope), variables })
        .bytes;
    const weight = float32([3, 4], [...toNumbers(wave([3, 4]))]);
    const imported = importOnnx(build(linear(3, { bias: false }), { weight }));
    const layer = weightNorm(imported.layer());
    const step = trainStep({
      inputs: { x: { shape: [1, 4] } },
      loss: ({ x }, scope) => scope.ops.reduceSum(layer(x!, scope), { keepDims: false }),
      optimizer: sgd({ learningRate: 0.1 }),
    });
    const training = await compile(step, { runtime });
    const { loss } = await training.run({ x: float32([1, 4], [1, 0, 0, 0]) });
    await training.release();
    const numbers = toNumbers(weight);
    expect(toNumbers(loss!)[0]).toBeCloseTo(numbers[0]! + numbers[4]! + numbers[8]!, 5);
  });
});

describe("weights that cannot be normalized", () => {
  const build = (layer: Layer) => () => {
    const { ops, scope } = buildScope("body");
    layer(ops.input("x", "float32", [2, 4]), scope);
  };

  it("are none at all", () => {
    const act = build(weightNorm(linear(3), { match: (path) => path === "elsewhere" }));
    expect(act).toThrow(OptionError);
    expect(act).toThrow(
      "weightNorm (body): a parameter with two or more axes must match, got none among body.weight, body.bias.",
    );
  });

  it("have one axis, or no such axis", () => {
    expect(build(boundedWeightNorm(linear(3), { match: (path) => path.endsWith("bias") }))).toThrow(
      'boundedWeightNorm (body): a normalized parameter must have two or more axes, one of them the channels\' axis, got axis 0 of "body.bias" [3].',
    );
    expect(build(boundedWeightNorm(linear(3), { axis: 2 }))).toThrow('got axis 2 of "body.weight" [3, 4].');
  });
});
