/** The folders we lay out, loaded by transformers.js itself, which brings its own way to ONNX Runtime. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { completePreprocessing, type Preprocessing, pixelsToTensor } from "../src/data/index.ts";
import { readModel, writeModel } from "../src/onnx/index.ts";
import { inferShapes } from "../src/ops/index.ts";
import { constantValue, Emitter, Graph, Program, Value } from "../src/program/index.ts";
import { quantize } from "../src/quantize/index.ts";
import {
  type FileContent,
  type ModelVariant,
  modelFolder,
  renameClassifier,
  transformersDtype,
} from "../src/report/index.ts";
import { nodeRuntime } from "../src/runtime/node.ts";
import { elementCount, float32, seededRandom } from "../src/tensor/index.ts";
import { sharedData } from "./support/shared-data.ts";

const transformers = await import("@huggingface/transformers").catch(() => undefined);
if (!transformers) console.warn("skipped: @huggingface/transformers is not installed");

const SIDE = 16;
const CLASSES = ["circle", "square", "star", "triangle", "cross"];
const ZOO_MODEL = sharedData("models/mobilenetv2-12-int8.onnx");
const GOLDFISH = { path: sharedData("imagenet-sample/images/n01443537_goldfish.jpg"), classIndex: 1 };

const runtime = await nodeRuntime({ threads: 1 });
let root: string;

/** A convolutional classifier with random weights; names as an exporter would give them, not as transformers.js wants them. */
function smallClassifier(): Program {
  const random = seededRandom(7);
  const weights = (name: string, shape: readonly number[], scale: number): Value =>
    constantValue(
      name,
      float32(
        shape,
        Float32Array.from({ length: elementCount(shape) }, () => scale * random.normal()),
      ),
    );
  const emitter = new Emitter();
  const input = new Value("image", "float32", ["batch", 3, SIDE, SIDE]);
  let x = emitter.emit("Conv", [input, weights("stem", [16, 3, 3, 3], 0.3)], { attributes: { pads: [1, 1, 1, 1] } });
  x = emitter.emit("Relu", [x]);
  x = emitter.emit("Conv", [x, weights("body", [32, 16, 3, 3], 0.1)], { attributes: { pads: [1, 1, 1, 1] } });
  x = emitter.emit("Relu", [x]);
  x = emitter.emit("Flatten", [emitter.emit("GlobalAveragePool", [x])]);
  const output = emitter.emit("Gemm", [x, weights("head", [32, CLASSES.length], 0.5)], { output: "scores" });
  const graph = new Graph("classifier", { inputs: [input], outputs: [output], nodes: emitter.nodes });
  const program = new Program(graph);
  inferShapes(program);
  return program;
}

async function writeFolder(name: string, files: ReadonlyMap<string, FileContent>): Promise<void> {
  for (const [path, content] of files) {
    if (typeof content !== "string" && !(content instanceof Uint8Array)) throw new Error(`${path} lies outside`);
    const target = join(root, name, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content);
  }
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "modicum-hub-"));
  if (!transformers) return;
  transformers.env.allowRemoteModels = false;
  transformers.env.localModelPath = `${root}/`;
});

afterAll(() => rm(root, { recursive: true, force: true }));

describe.skipIf(!transformers)("a folder laid out for transformers.js", () => {
  const { AutoImageProcessor, AutoModelForImageClassification, pipeline, RawImage, Tensor } = (transformers ??
    {}) as NonNullable<typeof transformers>;
  const program = smallClassifier();
  const preprocessing: Preprocessing = completePreprocessing({ resize: SIDE, crop: SIDE }, program.graph.inputs[0]!);
  const bytes = Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, i) => (i * 37) % 256);
  const picture = () => new RawImage(bytes, SIDE, SIDE, 3);
  const { data } = pixelsToTensor({ size: [SIDE, SIDE], channels: 3, bytes }, preprocessing);
  const input = float32([1, 3, SIDE, SIDE], data as Float32Array);
  const pixelValues = () => new Tensor("float32", input.data as Float32Array, [...input.shape]);
  let variants: ModelVariant[];

  beforeAll(async () => {
    renameClassifier(program);
    const float = { dtype: "fp32", model: writeModel(program), report: null, evaluation: null, check: null } as const;
    variants = [float];
    for (const weights of [8, 4]) {
      const { model, report } = await quantize(program, { runtime, weights, activations: 8 });
      const dtype = transformersDtype({ weightBits: weights, activationBits: 8, target: report.target });
      variants.push({ dtype, model, report, evaluation: null, check: null });
    }
    const files = modelFolder({
      name: "small",
      task: "image-classification",
      preprocessing,
      labels: CLASSES,
      variants,
    });
    await writeFolder("small", files);
  }, 60_000);

  test.each(["fp32", "q8", "q4"] as const)(
    "loads with dtype %s and gives the scores of our own session",
    async (dtype) => {
      const model = await AutoModelForImageClassification.from_pretrained("small", { dtype });
      const { logits } = await model({ pixel_values: pixelValues() });
      await model.dispose();

      const session = await runtime.createSession(variants.find((variant) => variant.dtype === dtype)!.model);
      const ours = await session.run({ pixel_values: input });
      await session.release();
      expect(logits.dims).toEqual([1, CLASSES.length]);
      // The same engine on the same file: only the number of threads may change the order of sums.
      (logits.data as Float32Array).forEach((score, i) => {
        expect(score).toBeCloseTo(Number(ours.logits!.data[i]), 5);
      });
    },
  );

  test("tells dtypes apart: scores differ by more than the tolerance of the test above", async () => {
    const first = await Promise.all(
      variants.map(async ({ model }) => {
        const session = await runtime.createSession(model);
        const { logits } = await session.run({ pixel_values: input });
        await session.release();
        return Number(logits!.data[0]);
      }),
    );
    expect(Math.abs(first[0]! - first[1]!)).toBeGreaterThan(1e-4);
    expect(Math.abs(first[1]! - first[2]!)).toBeGreaterThan(1e-4);
  });

  test("says which dtype to load when the caller does not", async () => {
    const model = await AutoModelForImageClassification.from_pretrained("small");
    const { logits } = await model({ pixel_values: pixelValues() });
    await model.dispose();
    const session = await runtime.createSession(variants.find(({ dtype }) => dtype === "q8")!.model);
    const ours = await session.run({ pixel_values: input });
    await session.release();
    expect(logits.data[0]).toBeCloseTo(Number(ours.logits!.data[0]), 5);
  });

  test("turns pictures into the same numbers as our own preprocessing", async () => {
    const processor = await AutoImageProcessor.from_pretrained("small", {});
    const { pixel_values: theirs } = await processor(picture());
    expect(theirs.dims).toEqual([1, 3, SIDE, SIDE]);
    // Both work in float32 with one rounding each for scale, mean and std.
    (theirs.data as Float32Array).forEach((value, i) => {
      expect(value).toBeCloseTo(Number(input.data[i]), 5);
    });
  });

  test("gives class names through the pipeline", async () => {
    const classify = await pipeline("image-classification", "small", { dtype: "q8" });
    const found = await classify(picture(), { top_k: 5 });
    await classify.dispose();
    const labels = (found as { label: string }[]).map(({ label }) => label);
    expect(labels.toSorted()).toEqual(CLASSES.toSorted());
  });

  test("fails for a dtype that is not in the folder", async () => {
    await expect(AutoModelForImageClassification.from_pretrained("small", { dtype: "int8" })).rejects.toThrow(
      /model_int8\.onnx/,
    );
  });

  test.skipIf(!ZOO_MODEL || !GOLDFISH.path)(
    "classifies a photograph with the model zoo's int8 MobileNetV2",
    async () => {
      const zoo = readModel(await readFile(ZOO_MODEL!));
      renameClassifier(zoo);
      const files = modelFolder({
        name: "zoo",
        task: "image-classification",
        preprocessing: completePreprocessing({}, zoo.graph.inputs[0]!),
        variants: [{ dtype: "q8", model: writeModel(zoo), report: null, evaluation: null, check: null }],
      });
      await writeFolder("zoo", files);
      const classify = await pipeline("image-classification", "zoo", { dtype: "q8" });
      const found = await classify(GOLDFISH.path!, { top_k: 1 });
      await classify.dispose();
      expect((found as { label: string }[])[0]!.label).toBe(`LABEL_${GOLDFISH.classIndex}`);
    },
  );
});
