import { beforeAll, describe, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import type { Layer } from "../build/index.ts";
import { OptionError, ShapeError } from "../errors.ts";
import * as nn from "../nn/index.ts";
import { readModel } from "../onnx/index.ts";
import { inferShapes } from "../ops/index.ts";
import * as optim from "../optim/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, int64, seededRandom, type Tensor, toNumbers } from "../tensor/index.ts";
import { compile, exportOnnx, trainStep } from "../train/index.ts";
import { findModel } from "./find-model.ts";
import type { ModelDefinition, ModelOptions } from "./model.ts";
import { models } from "./models.ts";
import { macsPerSample, traceModel } from "./trace.cases.ts";

const all = Object.values(models);

/** Small enough to train two steps of each in seconds: the structure stays. */
function smallest(definition: ModelDefinition): { options: ModelOptions; sampleShape: readonly number[] } {
  const isLarge = definition.sampleShape.at(-1) === 224;
  const width = definition.parameters > 1e6 ? 0.125 : 0.5;
  const dropout = definition.options.includes("dropout") ? { dropout: 0 } : {};
  // Deeper ones of the family differ in the number of blocks only.
  const depth = /^resnet(32|44|56)$/.test(definition.name) ? { depth: 8 } : {};
  const [length] = definition.sampleShape;
  const text = definition.task === "language" ? [Math.min(8, length!)] : definition.sampleShape;
  return { options: { classes: 10, width, ...dropout, ...depth }, sampleShape: isLarge ? [3, 64, 64] : text };
}

/** Samples and labels that a model of 10 classes takes. */
function batchOf(definition: ModelDefinition, shape: readonly number[]) {
  const random = seededRandom(1);
  const count = shape.reduce((a, b) => a * b, 1);
  const symbols = () =>
    int64(
      Array.from({ length: count }, () => Math.floor(10 * random.uniform())),
      shape,
    );
  if (definition.task === "language") return { x: symbols(), label: symbols() };
  const pictures = Float32Array.from({ length: count }, () => random.normal());
  return { x: float32(shape, pictures), label: int64(Array.from({ length: shape[0]! }, (_, i) => i % 10)) };
}

describe.each(all)("$name", (definition) => {
  const isLanguage = definition.task === "language";

  it("has the published number of parameters and scores", () => {
    const { parameters, shape } = traceModel(definition);
    expect(parameters).toBe(definition.parameters);
    expect(shape).toEqual(isLanguage ? [1, ...definition.sampleShape, definition.classes] : [1, definition.classes]);
  });

  it("has other sizes when asked to", () => {
    const { parameters, shape } = traceModel(definition, { width: 0.5, classes: 7 }, [3, ...definition.sampleShape]);
    expect(shape).toEqual(isLanguage ? [3, ...definition.sampleShape, 7] : [3, 7]);
    expect(parameters).toBeLessThan(definition.parameters * 0.6);
  });

  it("takes another head", () => {
    const head = (classes: number) => nn.linear(2 * classes, { bias: false });
    expect(traceModel(definition, { head }).shape!.at(-1)).toBe(2 * definition.classes);
  });

  it("has each of its options, and refuses others", () => {
    for (const [option, value] of Object.entries(OTHERS)) {
      const act = () => traceModel(definition, { [option]: value });
      if ((definition.options as readonly string[]).includes(option)) expect(act, option).not.toThrow();
      else expect(act, option).toThrow(`${definition.name}: options must be among classes, width, head`);
    }
  });
});

const OTHERS = {
  normalization: () => nn.batchNorm({ affine: false }),
  activation: () => nn.elu(),
  dropout: 0.1,
  shortcut: "projection",
  tiedEmbedding: true,
};

describe("options", () => {
  it("change the network", () => {
    const sizes = (name: string, options: Partial<ModelOptions>) => traceModel(models[name]!, options).parameters;
    // The ResNet-56 of arXiv:1801.04540.
    expect(sizes("resnet56", { shortcut: "projection" })).toBe(855_770);
    expect(sizes("resnet20", { depth: 56 })).toBe(853_018);
    expect(sizes("wrn-16-4", { classes: 100 })).toBe(2_748_890 + 90 * 257);
    // torchvision's.
    expect(sizes("resnet18", { depth: 34 })).toBe(21_797_672);
    expect(sizes("resnet50", { depth: 101 })).toBe(44_549_160);
    expect(sizes("resnet50", { depth: 152 })).toBe(60_192_808);
    // With normalization, VGG-11 is VGG-11-BN; without scale and shift, it is VGG-11 again.
    expect(sizes("vgg11", { normalization: nn.batchNorm })).toBe(9_231_114);
    expect(sizes("vgg11-bn", { normalization: () => nn.batchNorm({ affine: false }) })).toBe(9_225_610);
    expect(sizes("mlp", { depth: 5, width: 2, normalization: nn.batchNorm })).toBe(1_462_794);
    expect(sizes("char-lstm", { tiedEmbedding: true })).toBe(280_897 - 65 * 129);
    expect(sizes("char-transformer", { tiedEmbedding: false })).toBe(10_745_088 + 65 * 384);
  });

  it.each([
    ["resnet20", { depth: 21 }, "resnet20: depth must be 6 n + 2 (8, 14, 20, 26, ...), got 21."],
    ["resnet50", { depth: 51 }, "resnet50: depth must be one of 18, 34, 50, 101, 152, got 51."],
    ["vgg16", { depth: 12 }, "vgg16: depth must be one of 11, 13, 16, 19, got 12."],
    ["wrn-16-4", { depth: 17 }, "wrn-16-4: depth must be 6 n + 4 (10, 16, 22, 28, ...), got 17."],
    ["mlp", { depth: 1.5 }, "mlp: depth must be a whole number of at least 1, got 1.5."],
    ["mlp", { classes: 0 }, "mlp: classes must be a whole number of at least 1, got 0."],
    ["mlp", { width: 0 }, "mlp: width must be above 0, got 0."],
    ["c1", { dropout: 1 }, "c1: dropout must be at least 0 and less than 1, got 1."],
    ["lenet", { depth: 2 }, "lenet: options must be among classes, width, head, normalization, activation, got"],
    [
      "char-lstm",
      { tiedEmbedding: true, head: nn.linear },
      "char-lstm: a model must have one head, got head and tiedEmbedding. Leave out one of them.",
    ],
  ])("of %s must be right: %j", (name, options, message) => {
    expect(() => traceModel(models[name]!, options)).toThrow(OptionError);
    expect(() => traceModel(models[name]!, options)).toThrow(message);
  });

  it("of a text longer than positions are known is an error", () => {
    const act = () => traceModel(models["char-transformer-small"]!, {}, [1, 65]);
    expect(act).toThrow(ShapeError);
    expect(act).toThrow(
      "char-transformer-small: texts must have a known length of at most 64 symbols, got 65. Cut them.",
    );
  });
});

describe("findModel", () => {
  it("finds by name, and suggests what was meant", () => {
    expect(findModel("resnet20")).toBe(models.resnet20);
    expect(() => findModel("Resnet-20")).toThrow(OptionError);
    expect(() => findModel("Resnet-20")).toThrow('got "Resnet-20". Did you mean "resnet20"?');
    expect(() => findModel("vgg16bn")).toThrow('Did you mean "vgg16-bn"?');
    expect(() => findModel("constructor")).toThrow(OptionError);
  });
});

describe("multiply-accumulates", () => {
  // Strides and shortcuts in the wrong place leave parameters as they are, but not these: torchvision's numbers, the papers'.
  it.each([
    ["resnet18", 1814.07e6],
    ["resnet50", 4089.18e6],
    ["mobilenetv2", 300.77e6],
    ["resnet20", 40.55e6],
    ["resnet56", 125.49e6],
    ["resnet18-cifar", 555.42e6],
    ["vgg16-bn", 313.2e6],
  ])("of %s are the published ones", (name, macs) => {
    expect(macsPerSample(models[name]!) / macs).toBeCloseTo(1, 3);
  });
});

describe("names of parameters", () => {
  it("are torchvision's in networks for ImageNet", () => {
    const shapesOf = (name: string) =>
      Object.fromEntries([...traceModel(models[name]!).variables].map(([path, { shape }]) => [path, shape]));
    expect(shapesOf("resnet18")).toMatchObject({
      "conv1.weight": [64, 3, 7, 7],
      "bn1.runningMean": [64],
      "layer1.0.conv1.weight": [64, 64, 3, 3],
      "layer2.0.downsample.0.weight": [128, 64, 1, 1],
      "layer2.0.downsample.1.bias": [128],
      "layer4.1.bn2.weight": [512],
      "fc.weight": [1000, 512],
    });
    expect(shapesOf("resnet50")).toMatchObject({
      "layer1.0.downsample.0.weight": [256, 64, 1, 1],
      "layer3.5.conv3.weight": [1024, 256, 1, 1],
    });
    expect(shapesOf("mobilenetv2")).toMatchObject({
      "features.0.0.weight": [32, 3, 3, 3],
      "features.1.conv.0.0.weight": [32, 1, 3, 3],
      "features.1.conv.1.weight": [16, 32, 1, 1],
      "features.2.conv.1.0.weight": [96, 1, 3, 3],
      "features.17.conv.3.weight": [320],
      "features.18.1.bias": [1280],
      "classifier.1.bias": [1000],
    });
    expect(shapesOf("vgg16-bn")).toMatchObject({ "features.0.weight": [64, 3, 3, 3], "features.40.bias": [512] });
    expect(shapesOf("vgg16")).toMatchObject({ "features.28.weight": [512, 512, 3, 3] });
  });
});

describeUnless(reasonWithoutOnnxRuntimeNode(), "models, run", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  it.each(all)("$name trains, and its export has a batch of any length", async (definition) => {
    const { options, sampleShape } = smallest(definition);
    const model = definition.build(options);
    const batch = batchOf(definition, [4, ...sampleShape]);
    const step = trainStep({
      inputs: {
        x: { shape: batch.x.shape, dtype: batch.x.dtype },
        label: { shape: batch.label.shape, dtype: "int64" },
      },
      loss: ({ x, label }, scope) => {
        const scores = model(x!, scope);
        const { ops } = scope;
        return nn.crossEntropy(ops.reshape(scores, [-1, 10]), ops.reshape(label!, [-1]), scope);
      },
      optimizer: optim.sgd({ learningRate: 0.01 }),
    });
    const training = await compile(step, { runtime, seed: 1 });
    const losses = [];
    for (let i = 0; i < 2; i++) losses.push(Number((await training.run(batch)).loss!.data[0]));
    const variables = await training.variables();
    await training.release();
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(losses[1]).not.toBe(losses[0]);
    // At the start every class is about as likely: a start that is far off would say so here.
    expect(losses[0]).toBeGreaterThan(0.5);
    expect(losses[0]).toBeLessThan(6);

    const { bytes } = exportOnnx({
      inputs: { x: { shape: ["batch", ...sampleShape], dtype: batch.x.dtype } },
      outputs: ({ x }, scope) => model(x!, scope),
      variables,
    });
    const program = readModel(bytes);
    for (const output of program.graph.outputs) output.shape = undefined;
    expect(inferShapes(program).unknownNodes).toEqual([]);
    const shapes = program.graph.outputs.map((output) => output.shape);
    expect(shapes).toEqual([definition.task === "language" ? ["batch", ...sampleShape, 10] : ["batch", 10]]);
  });

  /** Returns from which place on scores change when the symbol at place 3 of 6 does. */
  async function firstChange(model: Layer): Promise<number> {
    const step = trainStep({
      inputs: { x: { shape: [1, 6], dtype: "int64" } },
      loss: ({ x }, scope) => scope.ops.reduceMean(model(x!, scope), { keepDims: false }),
      optimizer: optim.sgd({ learningRate: 0 }),
    });
    const training = await compile(step, { runtime, seed: 1 });
    const variables = await training.variables();
    await training.release();
    const exported = exportOnnx({
      inputs: { x: { shape: [1, 6], dtype: "int64" } },
      outputs: ({ x }, scope) => ({ scores: model(x!, scope) }),
      variables,
    });
    const session = await runtime.createSession(exported);
    const scoresOf = async (symbols: readonly number[]) =>
      toNumbers((await session.run({ x: int64([...symbols], [1, 6]) })).scores as Tensor);
    const [a, b] = [await scoresOf([1, 2, 3, 4, 5, 6]), await scoresOf([1, 2, 3, 7, 5, 6])];
    await session.release();
    return Math.floor(a.findIndex((score, i) => score !== b[i]) / 10);
  }

  it.each(all.filter(({ task }) => task === "language"))("$name sees nothing that comes later", async (definition) => {
    expect(await firstChange(definition.build({ ...smallest(definition).options }))).toBe(3);
  });

  it("would be seen to see what comes later", async () => {
    const looking = nn.sequential([
      nn.embedding({ count: 10, features: 8 }),
      nn.multiHeadAttention({ heads: 2 }),
      nn.linear(10),
    ]);
    expect(await firstChange(looking)).toBe(0);
  });
});
