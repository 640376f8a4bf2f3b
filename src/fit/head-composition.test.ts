/** Heads together with fine-tuning of imported models, export, and quantization. */
import { beforeAll, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import { datasetFromArrays, feedSource, type TrainingData } from "../data/index.ts";
import { openTrainingData } from "../files/index.ts";
import { type ModelFile, readModel } from "../onnx/index.ts";
import { quantize } from "../quantize/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { Tensor, toNumbers } from "../tensor/index.ts";
import { fit } from "./fit.ts";
import { madeData } from "./made-data.cases.ts";
import { parseRecipe } from "./parse-recipe.ts";
import { type PlanOptions, planTraining } from "./plan-training.ts";
import type { RecipeInput } from "./recipe.ts";

describeUnless(reasonWithoutOnnxRuntimeNode(), "heads, composed", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  async function trained(recipe: Partial<RecipeInput>, data: TrainingData, options: PlanOptions = {}) {
    const complete = { data: { set: "made" }, epochs: 1, batch: { size: 20 }, ...recipe } as RecipeInput;
    const plan = planTraining(parseRecipe(complete, "r"), data, options);
    // biome-ignore lint/suspicious/noFocusedTests: the training loop, not a test
    const { final, variables } = await fit(plan, { runtime });
    return { final: final!, variables, file: plan.exportModel(variables) };
  }

  async function scores(model: ModelFile, x: Tensor): Promise<Float64Array> {
    const session = await runtime.createSession(model);
    const { logits } = await session.run({ x });
    await session.release();
    return toNumbers(logits as Tensor);
  }

  /** The test part at once, as exported models take it. */
  async function testBatch({ test, normalization }: TrainingData) {
    const { x, label } = await test!.batch!(Array.from({ length: test!.count }, (_, i) => i));
    if (!normalization) return { x: x!, labels: toNumbers(label!) };
    const { scale, mean, std } = normalization;
    const numbers = Float32Array.from(toNumbers(x!), (value) => (value * scale - mean[0]!) / std[0]!);
    return { x: new Tensor("float32", x!.shape, numbers), labels: test!.labels! };
  }

  /** Mean cross-entropy. */
  function lossOf(logits: Float64Array, labels: ArrayLike<number>): number {
    const classes = logits.length / labels.length;
    let sum = 0;
    for (let i = 0; i < labels.length; i++) {
      const row = logits.subarray(i * classes, (i + 1) * classes);
      const most = Math.max(...row);
      sum += most + Math.log(row.reduce((total, score) => total + Math.exp(score - most), 0)) - row[labels[i]!]!;
    }
    return sum / labels.length;
  }

  async function eightBits(file: ModelFile, x: Tensor): Promise<ModelFile> {
    const samples = datasetFromArrays(new Map([["x", x]]), { description: "test part" });
    const input = { name: "x", dtype: x.dtype, shape: ["batch", ...x.shape.slice(1)] } as const;
    const { model } = await quantize(readModel(file.bytes), { runtime, calibration: feedSource(samples, [input]) });
    return model;
  }

  const FIXED = ["hadamard", "orthogonal", "simplex"] as const;

  it.each(FIXED)(
    "an imported network with a fixed head (%s) is trained, exported as it was measured, and quantized",
    async (kind) => {
      const data = await openTrainingData("example");
      const base = await trained({ model: { name: "mlp", width: 0.25 } }, data);
      const { final, file } = await trained(
        { model: { onnx: "base.onnx", head: { kind } }, epochs: 3, learningRate: 0.02 },
        data,
        { importedModel: base.file.bytes },
      );
      const { x, labels } = await testBatch(data);
      const loss = lossOf(await scores(file, x), labels);
      expect(Math.abs(loss - final.loss)).toBeLessThan(1e-4 * final.loss);
      expect(final.top1).toBeGreaterThan(40);
      const model = await eightBits(file, x);
      expect(model.bytes.length).toBeLessThan(0.5 * file.bytes.length);
      expect(Math.abs(lossOf(await scores(model, x), labels) - final.loss)).toBeLessThan(0.05 * final.loss);
    },
  );

  it("a tied embedding is exported once, as it was measured, and quantized", async () => {
    const [classes, length] = [50, 6];
    const data = madeData({ kind: "tokens", sampleShape: [length], classes, count: 400, testCount: 20 });
    const model = { name: "char-lstm", width: 0.25, depth: 1, tiedEmbedding: true } as const;
    const recipe = { model, epochs: 4, optimizer: { kind: "adam" }, learningRate: 0.02 } as const;
    const { final, variables, file } = await trained(recipe, data);
    expect(Object.keys(variables).filter((path) => path.startsWith("head"))).toEqual([]);
    const stored = readModel(file.bytes).graph.initializers.filter(({ constant }) => constant!.shape.includes(classes));
    expect(stored.map(({ constant }) => constant!.shape)).toEqual([[classes, 32]]);
    const { x, labels } = await testBatch(data);
    // The symbol after each is the next number: chance is ln 50 = 3.9.
    expect(final.loss).toBeLessThan(2);
    expect(Math.abs(lossOf(await scores(file, x), labels) - final.loss)).toBeLessThan(1e-4);
    const eight = await eightBits(file, x);
    expect(eight.bytes.length).toBeLessThan(file.bytes.length);
    expect(Math.abs(lossOf(await scores(eight, x), labels) - final.loss)).toBeLessThan(0.1);
  });
});
