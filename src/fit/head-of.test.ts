import { beforeAll, describe, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import { datasetFromArrays, feedSource } from "../data/index.ts";
import { openTrainingData } from "../files/index.ts";
import { type ModelFile, readModel } from "../onnx/index.ts";
import { quantize } from "../quantize/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, seededRandom, type Tensor, toNumbers, zeros } from "../tensor/index.ts";
import { compile } from "../train/index.ts";
import { fit } from "./fit.ts";
import { madeData } from "./made-data.cases.ts";
import { parseRecipe } from "./parse-recipe.ts";
import { planTraining } from "./plan-training.ts";
import { headScale } from "./probes/head-scale.ts";
import type { RecipeInput } from "./recipe.ts";

type Head = NonNullable<RecipeInput["model"]["head"]>;

const KINDS: readonly Head[] = [
  { kind: "hadamard" },
  { kind: "orthogonal" },
  { kind: "simplex" },
  { kind: "spread" },
  { kind: "cosine" },
];

function recipeOf(head: Head, keys: Partial<RecipeInput> = {}) {
  const model = { name: "mlp", width: 0.25, normalization: { kind: "batch" }, head } as const;
  return parseRecipe(
    { model, data: { set: "example" }, epochs: 4, batch: { size: 20 }, learningRate: 0.05, ...keys },
    "r",
  );
}

describe("heads of recipes", () => {
  it.each(KINDS)("$kind has a scale and a bias, and a matrix only if it is learned", (head) => {
    const { step } = planTraining(recipeOf(head), madeData());
    const own = step.variables.filter(({ path, role }) => path.startsWith("head.") && role === "parameter");
    const shapes = Object.fromEntries(own.map(({ path, shape }) => [path, shape]));
    const learned = { "head.logits.scale": [], "head.logits.bias": [10] };
    expect(shapes).toEqual(head.kind === "cosine" ? { "head.weight": [10, 64], ...learned } : learned);
    // No slot of the optimizer, no average: nothing is as large as the matrix.
    const large = step.variables.filter(({ path, shape }) => path.includes("head") && shape.length > 1);
    expect(large.length > 0).toBe(head.kind === "cosine");
  });

  it("say what does not fit", () => {
    expect(() => planTraining(recipeOf({ kind: "simplex" }), madeData({ classes: 66 }))).toThrow(
      "simplexCode: classes must be from 2 to 65 for 64 features, got 66. Take spreadCode.",
    );
    expect(() => recipeOf({ kind: "hadamard", scale: 0 })).toThrow("model.head.scale: must be");
    expect(() => recipeOf({ kind: "fourier" } as never)).toThrow("model.head.kind");
  });
});

describeUnless(reasonWithoutOnnxRuntimeNode(), "heads of recipes, run", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  it("do not decay, whatever the recipe says of the rest", async () => {
    const optimizer = { kind: "sgd", momentum: 0, decoupled: true, weightDecay: 1 } as const;
    const recipe = recipeOf({ kind: "orthogonal" }, { optimizer, schedule: { kind: "constant" } });
    const plan = planTraining(recipe, madeData());
    const training = await compile(plan.step, { runtime, seed: 1 });
    const before = await training.variables();
    for await (const batch of plan.batches(0, 0)) {
      await training.run(batch);
      break;
    }
    const after = await training.variables();
    await training.release();
    const [from, to] = [before, after].map((variables) => toNumbers(variables["head.logits.scale"]!)[0]!);
    // With decay 1 and a rate of 0.05 it would be 9.5.
    expect(Math.abs(to! - from!)).toBeLessThan(0.1);
  });

  async function scores(model: ModelFile, x: Tensor): Promise<Float64Array> {
    const session = await runtime.createSession(model);
    const result = await session.run({ x });
    await session.release();
    return toNumbers(result.logits as Tensor);
  }

  const pictures = (count: number): Tensor => {
    const random = seededRandom(2);
    return float32(
      [count, 1, 28, 28],
      Float32Array.from({ length: count * 784 }, () => random.normal()),
    );
  };

  /** Trains on the pictures that come with Modicum; wants more than chance, then the export's and the 8-bit model's scores. */
  it.each(KINDS)("$kind trains, is exported, and quantized", async (head) => {
    const plan = planTraining(recipeOf(head), await openTrainingData("example"));
    const logged: number[] = [];
    // biome-ignore lint/suspicious/noFocusedTests: the training loop, not a test
    const result = await fit(plan, {
      runtime,
      probes: { head: headScale() },
      onEvent: (event) => {
        if (event.type === "probe") logged.push(event.values.scale!);
      },
    });
    expect(result.final!.top1).toBeGreaterThan(40);
    expect(logged).toHaveLength(4);
    expect(logged[3]).not.toBe(logged[0]);
    const file = plan.exportModel(result.variables);
    const x = pictures(8);
    const float = await scores(file, x);
    const samples = datasetFromArrays(new Map([["x", pictures(16)]]), { description: "noise" });
    const input = { name: "x", dtype: "float32", shape: ["batch", 1, 28, 28] } as const;
    const { model } = await quantize(readModel(file.bytes), { runtime, calibration: feedSource(samples, [input]) });
    const eight = await scores(model, x);
    const largest = Math.max(...float.map(Math.abs));
    const error = Math.sqrt(float.reduce((sum, value, i) => sum + (value - eight[i]!) ** 2, 0) / float.length);
    expect(error).toBeLessThan(0.1 * largest);
  });

  it("are put on an imported model", async () => {
    const data = madeData({ sampleShape: [1, 8, 8], classes: 12 });
    const base = planTraining(recipeOf({ kind: "linear" }, { data: { set: "made" } }), data);
    const training = await compile(base.step, { runtime, seed: 1 });
    const file = base.exportModel(await training.variables());
    await training.release();
    const recipe = parseRecipe(
      { model: { onnx: "m.onnx", head: { kind: "hadamard" } }, data: { set: "made" }, epochs: 1, batch: { size: 20 } },
      "r",
    );
    const plan = planTraining(recipe, data, { importedModel: file.bytes });
    // biome-ignore lint/suspicious/noFocusedTests: the training loop, not a test
    const { variables } = await fit(plan, { runtime });
    expect(Object.keys(variables)).toContain("head.logits.scale");
    const x = float32([2, 1, 8, 8], toNumbers(pictures(1)).subarray(0, 128));
    const exported = await scores(plan.exportModel(variables), x);
    expect(exported).toHaveLength(24);
    expect(exported.every(Number.isFinite)).toBe(true);
  });

  it("of Hadamard rows are exported without their matrix", async () => {
    const size = (head: Head): number => {
      const model = { name: "mlp", width: 1, depth: 1, head } as const;
      const plan = planTraining(recipeOf(head, { model }), madeData({ sampleShape: [1, 2, 2], classes: 200 }));
      const ofNetwork = plan.step.variables.filter(({ role }) => role === "parameter" || role === "statistic");
      const variables = Object.fromEntries(ofNetwork.map(({ path, shape }) => [path, zeros("float32", shape)]));
      return plan.exportModel(variables).bytes.length;
    };
    const [dense, generated] = [size({ kind: "orthogonal" }), size({ kind: "hadamard" })];
    expect(dense).toBeGreaterThan(4 * 256 * 200);
    expect(generated).toBeLessThan(30_000);
  });
});
