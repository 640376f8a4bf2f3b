/** Norms, lengths and rates together with models of other people: fine-tuned, exported and quantized, a test per pair. */
import { beforeAll, describe, expect, it } from "vitest";
import type { Layer, Optimizer } from "../../src/build/index.ts";
import { feedSource } from "../../src/data/index.ts";
import { openDataset } from "../../src/files/index.ts";
import { nn, optim } from "../../src/index.ts";
import { readModel } from "../../src/onnx/index.ts";
import { prepareProgram } from "../../src/prepare/index.ts";
import { quantize } from "../../src/quantize/index.ts";
import type { Runtime } from "../../src/runtime/index.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { int64, type Tensor, toNumbers } from "../../src/tensor/index.ts";
import { compile, compileEvaluation, evaluation, exportOnnx, importOnnx, trainStep } from "../../src/train/index.ts";
import {
  accuracyOf,
  classesOf,
  type ExamplePictures,
  exampleBytes,
  exampleCalibration,
  examplePictures,
} from "../quantize/example.ts";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../support/engines.ts";

const BATCH = 50;
const STEPS = 10;
const isKernel = (path: string): boolean => KERNELS.has(path);

/** Weights of the file's convolutions, and the norms of their channels. */
const KERNELS = new Map<string, readonly number[]>();
for (const { operator, inputs } of readModel(exampleBytes).graph.nodes) {
  const weight = inputs[1]?.constant?.load();
  if (operator === "Conv" && weight) KERNELS.set(inputs[1]!.name, normsOf(weight));
}

function normsOf(weight: Tensor): number[] {
  const numbers = toNumbers(weight);
  const length = numbers.length / weight.shape[0]!;
  return Array.from({ length: weight.shape[0]! }, (_, c) => Math.hypot(...numbers.slice(c * length, (c + 1) * length)));
}

interface Method {
  readonly name: string;
  readonly layer: () => Layer;
  readonly optimizer: Optimizer;
  /** What must be true of the trained variables if the method did its work. */
  readonly works: (variables: Readonly<Record<string, Tensor>>) => void;
}

const plain = optim.sgd({ learningRate: 0.01, momentum: 0.9 });
/** Statistics follow the batches, because lengths of weights change: half of them is new in each step. */
const following = { normalization: { momentum: 0.5 } } as const;

const METHODS: readonly Method[] = [
  {
    name: "a norm swapped for L1",
    layer: () => importOnnx(exampleBytes).layer({ normalization: { deviation: "l1", running: "deviation" } }),
    optimizer: plain,
    works: (variables) => {
      const kept = Object.keys(variables).filter((path) => path.endsWith("runningDeviation"));
      expect(kept).toHaveLength(
        readModel(exampleBytes).graph.nodes.filter(({ operator }) => operator === "BatchNormalization").length,
      );
    },
  },
  {
    name: "weight norm",
    layer: () => nn.weightNorm(importOnnx(exampleBytes).layer(), { match: isKernel }),
    optimizer: plain,
    works: (variables) => {
      for (const [path, norms] of KERNELS) {
        expect([...toNumbers(variables[`${path}.gain`]!)]).not.toEqual(norms.map((norm) => expect.closeTo(norm, 6)));
      }
    },
  },
  {
    name: "bounded weight norm",
    layer: () => nn.boundedWeightNorm(importOnnx(exampleBytes).layer(following), { match: isKernel }),
    optimizer: plain,
    works: (variables) => {
      for (const [path, norms] of KERNELS) {
        const rho = Math.hypot(...norms) / Math.sqrt(norms.length);
        expect(toNumbers(variables[`${path}.radius`]!)[0]! / rho).toBeCloseTo(1, 5);
      }
    },
  },
  {
    name: "projection",
    layer: () => importOnnx(exampleBytes).layer(following),
    optimizer: optim.projected(plain, { match: isKernel, norm: 1 }),
    works: (variables) => {
      for (const path of KERNELS.keys()) for (const norm of normsOf(variables[path]!)) expect(norm).toBeCloseTo(1, 5);
    },
  },
  {
    name: "corrected rates",
    layer: () => importOnnx(exampleBytes).layer(following),
    // Channels are to turn as if they were as long as at the start; those of the first convolution not at all.
    optimizer: optim.correctedRate(plain, {
      norms: {
        stepsPerEpoch: STEPS,
        norms: Object.fromEntries(
          [...KERNELS].map(([path, norms], i) => [path, [i === 0 ? norms.map(() => 0) : norms]]),
        ),
      },
    }),
    works: (variables) => {
      [...KERNELS].forEach(([path, norms], i) => {
        const now = normsOf(variables[path]!);
        if (i === 0) expect(now).toEqual(norms);
        else expect(now).not.toEqual(norms);
      });
    },
  },
];

describeUnless(reasonWithoutOnnxRuntimeNode(), "an imported model", () => {
  let runtime: Runtime;
  let pictures: ExamplePictures;
  let batches: Readonly<Record<string, Tensor>>[];
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
    pictures = await examplePictures();
    batches = await trainingBatches();
  });

  async function trainingBatches(): Promise<Readonly<Record<string, Tensor>>[]> {
    const { inputs } = readModel(exampleBytes).graph;
    const folder = "examples/fashion-mnist";
    const dataset = await openDataset(folder, { inputs, modelPath: `${folder}/model.onnx`, split: "train" });
    const all: Readonly<Record<string, Tensor>>[] = [];
    for await (const { input } of feedSource(dataset, inputs, BATCH).batches()) {
      const label = int64([...dataset.labels!.slice(all.length * BATCH, (all.length + 1) * BATCH)]);
      all.push({ input: input!, label });
    }
    return all;
  }

  const inputs = { input: { shape: [BATCH, 1, 28, 28] }, label: { shape: [BATCH], dtype: "int64" } } as const;

  async function fineTune({ layer, optimizer }: Method) {
    const network = layer();
    const step = trainStep({
      inputs,
      loss: ({ input, label }, scope) => nn.crossEntropy(network(input!, scope), label!, scope),
      optimizer,
    });
    const training = await compile(step, { runtime, seed: 1 });
    const losses: number[] = [];
    for (let i = 0; i < STEPS; i++) {
      losses.push(toNumbers((await training.run(batches[i % batches.length]!)).loss!)[0]!);
    }
    const variables = await training.variables();
    await training.release();
    const file = exportOnnx({
      inputs: { input: { shape: ["batch", 1, 28, 28] } },
      outputs: ({ input }, scope) => ({ logits: network(input!, scope) }),
      variables,
    });
    return { network, losses, variables, file };
  }
  type Tuned = Awaited<ReturnType<typeof fineTune>>;

  const operatorsOf = async (bytes: Uint8Array): Promise<string[]> => {
    const { program } = await prepareProgram(readModel(bytes), { runtime });
    return program.graph.nodes.map(({ operator }) => operator).sort();
  };

  describe.each(METHODS.map((method) => [method.name, method] as const))("with %s", (_, method) => {
    let tuned: Tuned;
    beforeAll(async () => {
      tuned = await fineTune(method);
    });

    it("is fine-tuned", () => {
      const { losses, variables } = tuned;
      expect(losses.every(Number.isFinite)).toBe(true);
      // The same 50 pictures, after eight steps.
      expect(losses[8]!).toBeLessThan(losses[0]!);
      method.works(variables);
    });

    it("is exported as the operators that the file had, and computes what it computed", async () => {
      expect(await operatorsOf(tuned.file.bytes)).toEqual(await operatorsOf(exampleBytes));
      const used = await compileEvaluation(
        evaluation({
          inputs: { input: inputs.input },
          outputs: ({ input }, scope) => ({ logits: tuned.network(input!, scope) }),
        }),
        { runtime },
      );
      const { input } = batches[0]!;
      const [expected] = Object.values(await used.run({ input: input! }, tuned.variables));
      await used.release();
      const session = await runtime.createSession(tuned.file);
      const { logits } = await session.run({ input: input! });
      await session.release();
      const numbers = toNumbers(logits!);
      // Float32 in another order of operations; logits are of size 10.
      toNumbers(expected!).forEach((score: number, i: number) => void expect(numbers[i]).toBeCloseTo(score, 3));
      const accuracy = accuracyOf(await classesOf(tuned.file, pictures, runtime), pictures);
      // 92 % before; ten steps on 100 pictures, with statistics of 50, cost some points.
      expect(accuracy).toBeGreaterThan(80);
    });

    it("is quantized to 8 bits", async () => {
      const { model, report } = await quantize(tuned.file.bytes, {
        runtime,
        weights: 8,
        activations: 8,
        calibration: await exampleCalibration(),
      });
      const [float, quantized] = [
        await classesOf(tuned.file, pictures, runtime),
        await classesOf(model, pictures, runtime),
      ];
      const agreeing = float.filter((one, i) => one === quantized[i]).length / float.length;
      expect(agreeing).toBeGreaterThan(0.95);
      expect(report.layers.length).toBe(KERNELS.size + 1);
    });
  });
});
