import { expect, it } from "vitest";
import { openTrainingData } from "../../src/files/index.ts";
import { fit, parseRecipe, planTraining, type RecipeInput } from "../../src/fit/index.ts";
import { compileEvaluation, evaluation, exportOnnx, int8, nn } from "../../src/index.ts";
import { readModel } from "../../src/onnx/index.ts";
import type { Runtime } from "../../src/runtime/index.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { float32, seededRandom, type Tensor, tensorOf, toNumbers } from "../../src/tensor/index.ts";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../support/engines.ts";
import { sharedData } from "../support/shared-data.ts";

type Variables = Readonly<Record<string, Tensor>>;

/** A network trained by a recipe, its test accuracy then, and its decisions as an exported model. */
async function trained(runtime: Runtime, keys: RecipeInput) {
  const recipe = parseRecipe({ precision: { kind: "int8" }, ...keys }, "recipe");
  const data = await openTrainingData(recipe.data.set, { ...recipe.data, seed: 1 });
  const plan = planTraining(recipe, data);
  // biome-ignore lint/suspicious/noFocusedTests: this trains.
  const { final, variables } = await fit(plan, { runtime });
  const file = plan.exportModel(variables);
  const float = planTraining({ ...recipe, precision: { kind: "float32" } }, data).exportModel(variables);
  const { scale, mean, std } = data.normalization!;
  const session = await runtime.createSession(file);
  let [right, count, agreed] = [0, 0, 0];
  const measured = await compileEvaluation(plan.evaluation, { runtime });
  for await (const { x, label, counted } of plan.parts[0]!.batches()) {
    const pixels = Float32Array.from(toNumbers(x!), (byte) => (byte * scale - mean[0]!) / std[0]!);
    const { logits } = await session.run({ x: float32(x!.shape, pixels) });
    const scores = toNumbers(logits!);
    const labels = toNumbers(label!);
    const decided = labels.map((_, i) => {
      const row = scores.slice(10 * i, 10 * i + 10);
      return row.indexOf(Math.max(...row));
    });
    // With the model's decisions in place of labels, what is right in training is what both decide.
    const decisions = tensorOf("int64", label!.shape, decided);
    const { right: same } = await measured.run({ x: x!, label: decisions, counted: counted! }, variables);
    agreed += toNumbers(same!)[0]!;
    toNumbers(counted!).forEach((weight, i) => {
      count += weight;
      right += weight * Number(decided[i] === labels[i]);
    });
  }
  await measured.release();
  await session.release();
  const operators = [...readModel(file.bytes).allNodes()].map(({ operator }) => operator);
  return {
    evaluated: final!.top1,
    exported: (100 * right) / count,
    agreement: agreed / count,
    share: file.bytes.length / float.bytes.length,
    operators,
  };
}

const PRODUCTS = /^(Conv|Gemm|MatMul|ConvInteger|QLinearConv|MatMulIntegerToFloat)$/;

describeUnless(reasonWithoutOnnxRuntimeNode(), "networks trained in 8 bits, exported", () => {
  it.each<[string, RecipeInput["model"], string]>([
    ["a perceptron", { name: "mlp", width: 0.25, normalization: { kind: "batch", deviation: "range-5" } }, "MatMul"],
    ["weights on grids of channels", { name: "mlp", width: 0.25 }, "MatMul"],
    ["convolutions", { name: "lenet", normalization: { kind: "batch" } }, "QLinearConv"],
    ["residual sums", { name: "resnet20", depth: 8, width: 0.25 }, "QLinearConv"],
  ])(
    "are integer models that decide the same: %s",
    async (name, model, product) => {
      const runtime = await nodeRuntime();
      const isPerChannel = name.includes("channels");
      const { evaluated, exported, agreement, share, operators } = await trained(runtime, {
        model,
        data: { set: "example" },
        epochs: 2,
        batch: { size: 25 },
        learningRate: 0.05,
        ...(isPerChannel && { precision: { kind: "int8", weights: { range: "channel" } } }),
      });
      expect(evaluated).toBeGreaterThan(20);
      // One of 100 pictures may fall on the other side of a rounded number.
      expect(agreement).toBeGreaterThanOrEqual(0.99);
      expect(Math.abs(exported - evaluated)).toBeLessThanOrEqual(1);
      const products = new Set(operators.filter((operator) => PRODUCTS.test(operator)));
      expect([...products].filter((operator) => !/QLinearConv|IntegerToFloat/.test(operator))).toEqual([]);
      expect([...products].join()).toContain(product);
      if (!name.includes("residual")) expect(share).toBeLessThan(0.28);
    },
    60_000,
  );

  const mnist = sharedData("mnist");
  it.skipIf(mnist === undefined)(
    "have the accuracy of training on MNIST, to 0.2 points",
    async () => {
      const { evaluated, exported, agreement, share } = await trained(await nodeRuntime(), {
        model: { name: "mlp", width: 0.5, normalization: { kind: "batch" } },
        data: { set: `mnist:${mnist}`, limit: 3000 },
        epochs: 2,
        batch: { size: 100 },
      });
      expect(evaluated).toBeGreaterThan(88);
      expect(agreement).toBeGreaterThan(0.999);
      expect(Math.abs(exported - evaluated)).toBeLessThanOrEqual(0.2);
      expect(share).toBeLessThan(0.27);
    },
    60_000,
  );

  it("fold batch norms with negative and vanishing factors into codes and scales", async () => {
    const random = seededRandom(2);
    const numbers = (shape: readonly number[]): Tensor =>
      float32(
        shape,
        Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
      );
    const model = nn.sequential([
      nn.conv({ channels: 4, kernel: 3 }),
      nn.batchNorm(),
      nn.relu(),
      nn.flatten(),
      nn.linear(3),
    ]);
    const variables: Variables = {
      "0.weight": numbers([4, 2, 3, 3]),
      "0.bias": numbers([4]),
      "1.weight": tensorOf("float32", [4], [1, -1, 0, 1e-12]),
      "1.bias": tensorOf("float32", [4], [0.1, 0.2, 0.7, 0]),
      "1.runningMean": numbers([4]),
      "1.runningVariance": tensorOf("float32", [4], [30, 30, 30, 30]),
      "4.weight": numbers([3, 4 * 6 * 6]),
      "4.bias": numbers([3]),
      "0.inputRange": tensorOf("float32", [2], [-3, 3]),
      "4.inputRange": tensorOf("float32", [2], [0, 3]),
    };
    const runtime = await nodeRuntime();
    const x = numbers([5, 2, 8, 8]);
    const file = exportOnnx({
      inputs: { x: { shape: [5, 2, 8, 8] } },
      outputs: ({ x }, scope) => model(x!, scope),
      variables,
      precision: int8(),
    });
    const session = await runtime.createSession(file);
    const { output } = await session.run({ x });
    await session.release();
    const measured = evaluation({
      inputs: { x: { shape: [5, 2, 8, 8] } },
      outputs: ({ x }, scope) => ({ y: model(x!, scope) }),
      precision: int8(),
    });
    const compiled = await compileEvaluation(measured, { runtime });
    const { y } = await compiled.run({ x }, variables);
    await compiled.release();
    const expected = toNumbers(y!);
    const size = Math.max(...expected.map(Math.abs));
    // A code that lies between two may be rounded to the other one.
    const errors = toNumbers(output!).map((number, i) => Math.abs(number - expected[i]!) / size);
    expect(Math.max(...errors)).toBeLessThan(0.01);
  });
});
