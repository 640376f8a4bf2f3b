import { describe, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import { DataError, OptionError } from "../errors.ts";
import { models } from "../models/index.ts";
import { readModel } from "../onnx/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, Tensor, toNumbers } from "../tensor/index.ts";
import { compile, compileEvaluation } from "../train/index.ts";
import { madeData } from "./made-data.cases.ts";
import { parseRecipe } from "./parse-recipe.ts";
import { planTraining } from "./plan-training.ts";
import { preprocessingOf } from "./preprocessing-of.ts";
import type { RecipeInput } from "./recipe.ts";
import { recipes } from "./recipes.ts";
import type { Batch, TrainingPlan } from "./training-plan.ts";
import { withNetworkSizes } from "./with-network-sizes.ts";

function recipeOf(keys: Partial<RecipeInput> = {}) {
  return parseRecipe(
    { model: { name: "mlp", width: 0.1 }, data: { set: "made" }, epochs: 2, batch: { size: 10 }, ...keys },
    "recipe",
  );
}

async function firstBatch(plan: TrainingPlan, epoch = 0, from = 0): Promise<Batch> {
  for await (const batch of plan.batches(epoch, from)) return batch;
  throw new Error("no batch");
}

describe("planTraining", () => {
  it("counts steps, evaluations and batches", async () => {
    const plan = planTraining(recipeOf({ epochs: 2.5, evaluation: { every: 0.5 } }), madeData({ count: 45 }));
    expect(plan).toMatchObject({ stepsPerEpoch: 4, totalSteps: 10, batchSize: 10, evaluationEverySteps: 2 });
    expect(plan.parts.map(({ split }) => split)).toEqual(["test"]);
    const counts: number[] = [];
    for await (const { counted } of plan.parts[0]!.batches()) {
      counts.push(toNumbers(counted!).reduce((a, b) => a + b, 0));
    }
    expect(counts).toEqual([20]);
  });

  it("feeds bytes, the same ones from any batch on", async () => {
    const plan = planTraining(
      recipeOf({ data: { set: "made", augment: [{ kind: "crop", padding: 2 }, { kind: "flip" }] } }),
      madeData(),
    );
    const all: Batch[] = [];
    for await (const batch of plan.batches(1, 0)) all.push(batch);
    expect(all).toHaveLength(4);
    expect(all[2]!.x!.dtype).toBe("uint8");
    expect(await firstBatch(plan, 1, 2)).toEqual(all[2]);
    expect(await firstBatch(plan, 0, 2)).not.toEqual(all[2]);
  });

  it("measures validation samples first, and training samples when asked to", () => {
    const data = madeData();
    const plan = planTraining(recipeOf({ evaluation: { trainSamples: 10 } }), { ...data, validation: data.test });
    expect(plan.parts.map(({ split }) => split)).toEqual(["validation", "test", "train"]);
  });

  it("turns epochs into steps of the schedule, the rise before it", () => {
    const rates = (keys: Partial<RecipeInput>): number[] => {
      const { learningRate } = planTraining(recipeOf({ learningRate: 1, ...keys }), madeData()).step;
      return Array.from({ length: 8 }, (_, step) => (learningRate as (step: number) => number)(step));
    };
    expect(rates({ schedule: { kind: "constant" }, warmup: 1 })).toEqual([0.2, 0.4, 0.6, 0.8, 1, 1, 1, 1].map(near));
    expect(rates({ schedule: { kind: "step", every: 0.5 } })).toEqual(
      [1, 1, 0.1, 0.1, 0.01, 0.01, 1e-3, 1e-3].map(near),
    );
    const milestones: RecipeInput["schedule"] = { kind: "multi-step", milestones: [0.5, 1.5], factor: 0.5 };
    expect(rates({ schedule: milestones })).toEqual([1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25].map(near));
    // Counted from the beginning of the run, not from the end of the rise.
    expect(rates({ schedule: milestones, warmup: 0.25 }).slice(1)).toEqual(
      [1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25].map(near),
    );
    expect(rates({ schedule: { kind: "polynomial" }, warmup: 1 }).slice(4)).toEqual([1, 0.75, 0.5, 0.25].map(near));
    const cycle = rates({ schedule: { kind: "one-cycle", riseFraction: 0.5 } });
    expect(Math.max(...cycle)).toBe(cycle[3]);
    expect(cycle[7]).toBeLessThan(1e-5);
    const cosine = rates({ schedule: { kind: "cosine", minimum: 0.5 } });
    expect(cosine[0]).toBe(1);
    expect(cosine[4]).toBeCloseTo(0.75, 10);
  });

  it.each([
    [{ batch: { size: 64 } }, {}, "recipe: batch.size must be at most the number of training samples, 40, got 64."],
    [{ model: { name: "char-lstm" } }, {}, "recipe: model.name must be a network for pictures, got char-lstm"],
    [{ model: { name: "resnt20" } }, {}, 'got "resnt20". Did you mean "resnet20"?'],
    [{ model: { onnx: "a.onnx" } }, {}, "recipe: the model a.onnx must be given to train it further, got none."],
    [
      { data: { set: "made", augment: [{ kind: "flip" }] } },
      { kind: "features", sampleShape: [4] },
      'recipe: data.augment.0: must be for features, got "flip". Leave it out.',
    ],
    [
      { data: { set: "made", augment: [{ kind: "mixup", alpha: 1 }, { kind: "flip" }] } },
      {},
      'recipe: data.augment.0: mixup must come last, got "flip" after it.',
    ],
    [
      { data: { set: "made", normalization: { mean: [0, 0], std: [1, 1] } } },
      {},
      "recipe: data.normalization must have a mean and a std for each of 1 channels, got 2 and 2.",
    ],
    [
      { optimizer: { kind: "sgd", groups: [{ match: "nothing" }] } },
      {},
      "optimizer: every parameter group must match a parameter, got none for groups[0].",
    ],
  ] as const)("refuses %j with data %j", (keys, data, message) => {
    const plan = () => planTraining(recipeOf(keys as never), madeData(data));
    expect(plan).toThrow(OptionError);
    expect(plan).toThrow(message);
  });

  it("needs samples to measure the network on", () => {
    const plan = () => planTraining(recipeOf(), { ...madeData(), test: undefined });
    expect(plan).toThrow(DataError);
    expect(plan).toThrow("made: must have test samples to measure the network on, got none.");
  });
});

function near(value: number): unknown {
  return expect.closeTo(value, 8);
}

describe("named recipes", () => {
  it("are there for every network", () => {
    expect(Object.keys(recipes).sort()).toEqual(Object.keys(models).sort());
  });

  const small = Object.entries<RecipeInput>(recipes).filter(
    ([name]) => !/^(resnet(18|50|56|44)|mobilenetv2|wrn)/.test(name),
  );
  it.each(small)("%s fits its network", (name, written) => {
    const { task, sampleShape, classes } = models[name]!;
    const recipe = withNetworkSizes(
      parseRecipe({ ...written, batch: { size: 2 }, model: { ...written.model, width: 0.1 } }, name),
    );
    const kind = task === "language" ? "tokens" : "pictures";
    const length = recipe.data.length;
    const shape = kind === "tokens" ? [Math.min(length!, 8)] : sampleShape;
    const plan = planTraining(recipe, madeData({ kind, sampleShape: shape, classes, count: 4, testCount: 2 }));
    expect(plan.stepsPerEpoch).toBe(2);
  });

  it("take the size of pictures in a folder, and the length of texts, from the network", () => {
    const sizes = (set: string, name: string) => withNetworkSizes(recipeOf({ model: { name }, data: { set } })).data;
    expect(sizes("folder:a", "resnet20")).toMatchObject({ size: 32 });
    expect(sizes("folder:a", "resnet50")).toMatchObject({ size: 224 });
    expect(sizes("text:a", "char-transformer-small")).toMatchObject({ length: 64 });
    expect(sizes("cifar10:a", "resnet20").size).toBeUndefined();
    const stated = withNetworkSizes(recipeOf({ data: { set: "folder:a", size: 64 } }));
    expect(stated.data.size).toBe(64);
  });
});

describeUnless(reasonWithoutOnnxRuntimeNode(), "plans, run", async () => {
  const runtime = await nodeRuntime({ threads: 1 });

  /** Takes the steps of one pass, and returns the losses, the variables and what is measured. */
  async function pass(plan: TrainingPlan) {
    const training = await compile(plan.step, { runtime, seed: plan.seed });
    const losses: number[] = [];
    for await (const batch of plan.batches(0, 0)) {
      const metrics = await training.run(batch);
      expect(Object.keys(metrics).slice(0, 2)).toEqual(["loss", "top1"]);
      losses.push(toNumbers(metrics.loss!)[0]!);
    }
    const variables = await training.variables();
    await training.release();
    const evaluation = await compileEvaluation(plan.evaluation, { runtime });
    let measured: Record<string, Tensor> = {};
    for await (const batch of plan.parts[0]!.batches()) measured = await evaluation.run(batch, variables);
    await evaluation.release();
    return { losses, variables, measured };
  }

  async function scores(plan: TrainingPlan, variables: Readonly<Record<string, Tensor>>, x: Tensor): Promise<number[]> {
    const session = await runtime.createSession(plan.exportModel(variables));
    const { logits } = await session.run({ x });
    await session.release();
    return [...toNumbers(logits!)];
  }

  it.each<[string, Partial<RecipeInput>, Parameters<typeof madeData>[0]]>([
    ["pictures", {}, {}],
    ["pictures in chunks", { batch: { size: 10, chunks: 2 } }, {}],
    [
      "pictures with mixup",
      { data: { set: "made", augment: [{ kind: "mixup", alpha: 1 }] }, loss: { labelSmoothing: 0.1 } },
      {},
    ],
    ["features", { model: { name: "mlp", width: 0.1 } }, { kind: "features", sampleShape: [5], classes: 3 }],
    ["tokens", { model: { name: "char-lstm", width: 0.1 } }, { kind: "tokens", sampleShape: [6] }],
    [
      "averages and norms",
      { averaging: { decay: 0.9 }, evaluation: { norms: true }, clip: { norm: 1, value: 0.5 } },
      {},
    ],
    ["adam", { optimizer: { kind: "adamw" }, learningRate: 0.001 }, {}],
    ["rmsprop", { optimizer: { kind: "rmsprop" }, learningRate: 0.001 }, {}],
    ["adagrad", { optimizer: { kind: "adagrad" }, learningRate: 0.01 }, {}],
    [
      "group norms",
      { model: { name: "lenet", normalization: { kind: "group", groups: 2 } } },
      { sampleShape: [1, 28, 28] },
    ],
    ["float64", { precision: { kind: "float64" } }, {}],
    ["8 bits", { precision: { kind: "int8" } }, {}],
    [
      "few bits, every option",
      {
        batch: { size: 10, chunks: 2 },
        precision: {
          kind: "int8",
          weights: { bits: 4, range: "channel" },
          activations: { bits: 6, range: "running" },
          gradients: { bits: 4, logarithmic: true },
          weightGradients: 16,
          float: ["first", "last"],
        },
      },
      {},
    ],
  ])("train %s", async (_, keys, data) => {
    const plan = planTraining(recipeOf({ learningRate: 0.01, ...keys }), madeData(data));
    const { losses, measured } = await pass(plan);
    expect(losses).toHaveLength(4);
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(toNumbers(measured.weight!)[0]).toBe(data?.kind === "tokens" ? 20 * 6 : 20);
  });

  it("learn labels from mixtures as from the labels themselves when nothing is mixed", async () => {
    // Shares from Beta(tiny, tiny) are 0 or 1: each sample is itself or its partner, with that one's label.
    const augment = [{ kind: "mixup", alpha: 1e-6 } as const];
    const plan = planTraining(recipeOf({ data: { set: "made", augment } }), madeData());
    const plain = planTraining(recipeOf(), madeData());
    const batch = await firstBatch(plan);
    const shares = toNumbers(batch.mix!);
    expect(new Set(shares)).toEqual(new Set([0, 1]));
    const label = batch.label!.data as BigInt64Array;
    const other = batch.label2!.data as BigInt64Array;
    const chosen = BigInt64Array.from(label, (one, i) => (shares[i] === 1 ? one : other[i]!));
    const lossOf = async (which: TrainingPlan, fed: Batch) => {
      const training = await compile(which.step, { runtime, seed: 3 });
      const { loss } = await training.run(fed);
      await training.release();
      return toNumbers(loss!)[0]!;
    };
    const { x } = batch;
    const withLabels = { x: x!, label: new Tensor("int64", batch.label!.shape, chosen) };
    expect(await lossOf(plan, batch)).toBeCloseTo(await lossOf(plain, withLabels), 5);
  });

  it("export pictures normalized, as the preprocessing says: same scores as inside", async () => {
    const data = madeData({ sampleShape: [3, 8, 8] });
    const recipe = recipeOf();
    const plan = planTraining(recipe, data);
    const { variables, measured } = await pass(plan);
    const { scale, mean, std, resize, crop, channels } = preprocessingOf(recipe, data)!;
    expect({ resize, crop, channels }).toEqual({ resize: 8, crop: 8, channels: "rgb" });
    const all = await Promise.all(Array.from({ length: 20 }, (_, i) => data.test!.sample(i)));
    const pixels = all.flatMap(({ x }) => Array.from(x!.data as Uint8Array));
    const normalized = pixels.map((byte, i) => {
      const channel = Math.floor(i / 64) % 3;
      return (byte * scale! - mean![channel]!) / std![channel]!;
    });
    const logits = await scores(plan, variables, float32([20, 3, 8, 8], normalized));
    const right = Array.from({ length: 20 }, (_, i) => {
      const row = logits.slice(i * 10, i * 10 + 10);
      return row.indexOf(Math.max(...row)) === i % 10;
    }).filter(Boolean).length;
    expect(right).toBe(toNumbers(measured.right!)[0]);
    const loss = Array.from({ length: 20 }, (_, i) => {
      const row = logits.slice(i * 10, i * 10 + 10);
      return Math.log(row.reduce((sum, one) => sum + Math.exp(one), 0)) - row[i % 10]!;
    }).reduce((a, b) => a + b);
    // Float32 sums of twenty losses.
    expect(loss).toBeCloseTo(toNumbers(measured.loss!)[0]!, 3);
  });

  it("export features as they come, normalization inside, and say of no preprocessing", async () => {
    const data = madeData({ kind: "features", sampleShape: [2], classes: 3 });
    const recipe = recipeOf({ data: { set: "made", normalization: { scale: 1, mean: [5, 6], std: [2, 3] } } });
    const plan = planTraining(recipe, data);
    const { variables } = await pass(plan);
    expect(preprocessingOf(recipe, data)).toBeUndefined();
    const program = readModel(plan.exportModel(variables).bytes);
    expect(program.graph.inputs[0]!.shape).toEqual(["batch", 2]);
    // The same network on what is normalized already.
    const bare = planTraining(
      recipeOf({ data: { set: "made", normalization: { scale: 1, mean: [0, 0], std: [1, 1] } } }),
      data,
    );
    const x = [7, 3];
    const inside = await scores(plan, variables, float32([1, 2], x));
    const outside = await scores(bare, variables, float32([1, 2], [(x[0]! - 5) / 2, (x[1]! - 6) / 3]));
    inside.forEach((score, i) => void expect(score).toBeCloseTo(outside[i]!, 5));
  });

  it("put a new head on an imported model, and train all or the head alone", async () => {
    const data = madeData({ sampleShape: [1, 28, 28] });
    const first = planTraining(recipeOf({ model: { name: "lenet" }, learningRate: 0.01 }), data);
    const { variables } = await pass(first);
    const { bytes } = first.exportModel(variables);
    const others = madeData({ sampleShape: [1, 28, 28], classes: 4 });
    for (const train of ["all", "head"] as const) {
      const recipe = recipeOf({ model: { onnx: "lenet.onnx", train }, learningRate: 0.01 });
      const plan = planTraining(recipe, others, { importedModel: bytes });
      const trained = plan.step.variables.filter(({ role }) => role === "parameter").map(({ path }) => path);
      expect(trained).toContain("head.weight");
      expect(trained.some((path) => path.startsWith("body."))).toBe(train === "all");
      const run = await pass(plan);
      expect(run.losses.every(Number.isFinite)).toBe(true);
      const session = await runtime.createSession(plan.exportModel(run.variables));
      const x = float32([2, 1, 28, 28], new Float32Array(2 * 784));
      expect((await session.run({ x })).logits!.shape).toEqual([2, 4]);
      await session.release();
    }
    const inBytes = recipeOf({ model: { onnx: "lenet.onnx" }, learningRate: 0.01, precision: { kind: "int8" } });
    const plan = planTraining(inBytes, others, { importedModel: bytes });
    expect(plan.step.precision?.quantized).toHaveLength(4);
    expect(plan.step.precision?.float).toEqual([]);
    const run = await pass(plan);
    expect(run.losses.every(Number.isFinite)).toBe(true);
    const operators = [...readModel(plan.exportModel(run.variables).bytes).allNodes()].map(({ operator }) => operator);
    expect(operators.filter((operator) => operator === "MatMulIntegerToFloat")).toHaveLength(2);
    const missing = recipeOf({ model: { onnx: "lenet.onnx", features: "nowhere" } });
    expect(() => planTraining(missing, others, { importedModel: bytes })).toThrow(
      'importOnnx: output must be a value of the model, got "nowhere".',
    );
    expect(() =>
      planTraining(recipeOf({ model: { onnx: "lenet.onnx" } }), madeData(), { importedModel: bytes }),
    ).toThrow(
      "lenet.onnx: must take the data's samples, float32 [batch, 1, 8, 8], got a model that takes x float32 [batch, 1, 28, 28].",
    );
  });
});
