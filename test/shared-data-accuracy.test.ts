/** The shared models on the shared data: what this toolkit measures is what the data's README says they reach. */
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { limitSamples, type PreprocessingSettings, writeNpy } from "../src/data/index.ts";
import { type EvaluateOptions, type EvaluationRun, evaluateModels } from "../src/evaluate/index.ts";
import { openDataset, readModelFile } from "../src/files/index.ts";
import { modelSizeBytes } from "../src/onnx/index.ts";
import type { Runtime } from "../src/runtime/index.ts";
import { nodeRuntime } from "../src/runtime/node.ts";
import { Tensor } from "../src/tensor/index.ts";

const shared = fileURLToPath(new URL("../../shared/data", import.meta.url));
const isMissing = !existsSync(shared);
if (isMissing) console.log(`skipped: accuracy on shared data (no ${shared})`);

interface Setup extends EvaluateOptions {
  readonly preprocessing?: PreprocessingSettings;
  readonly limit?: number;
}

describe.skipIf(isMissing)("shared models on shared data", () => {
  let runtime: Runtime;
  let scratch: string;
  beforeAll(async () => {
    runtime = await nodeRuntime();
    scratch = await mkdtemp(join(tmpdir(), "modicum-shared-"));
  });
  afterAll(() => rm(scratch, { recursive: true }));

  async function evaluate(
    model: string,
    data: string,
    { preprocessing, limit, ...options }: Setup = {},
  ): Promise<EvaluationRun> {
    const path = join(shared, "models", model);
    const { file, inputs, classCount } = await readModelFile(path);
    const whole = await openDataset(data, { inputs, classCount, modelPath: path, preprocessing });
    const session = await runtime.createSession(file);
    try {
      const evaluated = { path, sizeBytes: modelSizeBytes(file), session, inputs, dataset: limitSamples(whole, limit) };
      return await evaluateModels([evaluated], { timing: false, ...options });
    } finally {
      await session.release();
    }
  }

  // Parts of the data, to be fast; the drawing is seeded, so the counts are exact. All of the data give the README's
  // numbers by the same code: SqueezeNet 59.4 and 81.0 %, MobileNetV2 82.2 and 95.4 %, its int8 version 81.6 %, ResNet-20
  // 91.73 %, the MNIST CNN 98.91 %.
  test("SqueezeNet 1.1 is right on 47 of 80 ImageNet pictures, and on 63 within five guesses", async () => {
    const { models } = await evaluate("squeezenet1.1.onnx", join(shared, "imagenet-sample"), { limit: 80 });
    expect(models[0]).toMatchObject({ count: 80, top1: 58.75, top5: 78.75 });
  });

  test("SqueezeNet 1.1 fed blue first, the negative control, is right on fewer", async () => {
    const preprocessing = { channels: "bgr" } as const;
    const { models } = await evaluate("squeezenet1.1.onnx", join(shared, "imagenet-sample"), {
      limit: 80,
      preprocessing,
    });
    expect(models[0]!.top1).toBeLessThan(55);
  });

  test("the MNIST CNN, whose batch is fixed to one, reads 986 of 1,000 digits from bytes 0..255", async () => {
    const setup = { preprocessing: { scale: 1 }, limit: 1000 };
    const { models } = await evaluate("mnist-cnn.onnx", join(shared, "mnist"), setup);
    expect(models[0]).toMatchObject({ count: 1000, top1: 98.6 });
  });

  test("the super-resolution network takes luma of ImageNet pictures without being told how", async () => {
    const { models, predictions } = await evaluate(
      "super-resolution-x3.onnx",
      join(shared, "imagenet-sample", "images"),
      { limit: 2 },
    );
    expect(models[0]).toMatchObject({ count: 2, top1: null });
    expect(predictions[0]).toBeNull();
  });

  test("Magika names the reference label of every file given as .npy", async () => {
    const inputs = readFileSync(join(shared, "models/magika-v3.3-inputs.u16.bin"));
    const bytes = new Uint16Array(inputs.buffer.slice(inputs.byteOffset, inputs.byteOffset + inputs.length));
    await writeFile(join(scratch, "magika.npy"), writeNpy(new Tensor("uint16", [96, 2048], bytes)));
    const reference: { readonly samples: readonly { readonly index: number }[] } = JSON.parse(
      readFileSync(join(shared, "models/magika-v3.3-reference.json"), "utf8"),
    );
    const labels = Int32Array.from(reference.samples, ({ index }) => index);
    await writeFile(join(scratch, "magika.labels.npy"), writeNpy(new Tensor("int32", [96], labels)));
    const { models } = await evaluate("magika-v3.3.onnx", join(scratch, "magika.npy"), { batchSize: 1, limit: 24 });
    expect(models[0]).toMatchObject({ count: 24, top1: 100 });
  });
});
