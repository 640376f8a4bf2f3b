/** The models of docs/results/quantization.md, each with data to calibrate on, other data to measure on, and a measure. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Dataset,
  datasetFromArrays,
  limitSamples,
  type PreprocessingSettings,
  selectSamples,
} from "../../src/data/index.ts";
import { type LoadedModel, openDataset, readModelFile } from "../../src/files/index.ts";
import { seededRandom, shuffledIndices, Tensor } from "../../src/tensor/index.ts";
import { psnrOfSuperResolution, superResolutionData } from "./super-resolution.ts";
import { type TaskMeasure, tokenLoss } from "./token-loss.ts";

/** A model with what it is measured on. */
export interface Task {
  readonly title: string;
  readonly modelPath: string;
  readonly calibration: Dataset;
  readonly evaluation: Dataset;
  /** Batch of evaluation and calibration. */
  readonly batchSize: number;
  /** A measure of its own for models that are no classifiers; top-1 otherwise. */
  readonly measure?: TaskMeasure;
  /** A note under the table. */
  readonly note: string;
}

const CALIBRATION_SAMPLES = 64;

/** Makes a task from the folder of shared data; see its README for where everything is from. */
export type TaskMaker = (shared: string) => Promise<Task>;

async function load(shared: string, name: string): Promise<{ path: string; loaded: LoadedModel }> {
  const path = join(shared, "data", "models", name);
  return { path, loaded: await readModelFile(path) };
}

/** Samples by a seeded draw: the first for calibration, all others for evaluation. */
function split(dataset: Dataset, calibrationCount: number): { calibration: Dataset; evaluation: Dataset } {
  const order = shuffledIndices(dataset.count, seededRandom(0));
  return {
    calibration: selectSamples(dataset, order.slice(0, calibrationCount)),
    evaluation: selectSamples(dataset, order.slice(calibrationCount).sort()),
  };
}

const IMAGENET: PreprocessingSettings = {
  resize: null,
  crop: 224,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

function imagenetTask(title: string, file: string): TaskMaker {
  return async (shared) => {
    const { path, loaded } = await load(shared, file);
    const folder = join(shared, "data", "imagenet-sample");
    const dataset = await openDataset(folder, {
      inputs: loaded.inputs,
      classCount: loaded.classCount,
      modelPath: path,
      preprocessing: IMAGENET,
    });
    return {
      title,
      modelPath: path,
      ...split(dataset, CALIBRATION_SAMPLES),
      batchSize: 4,
      note: "500 ImageNet pictures (most likely training pictures): 64 for calibration, the other 436 measured. One picture is 0.23 points.",
    };
  };
}

const cifar: TaskMaker = async (shared) => {
  const { path, loaded } = await load(shared, "resnet20-cifar10.onnx");
  const folder = join(tmpdir(), "modicum-cifar10");
  if (!existsSync(join(folder, "cifar-10-batches-bin", "data_batch_5.bin"))) {
    execFileSync(process.execPath, [join(shared, "tools", "unpack-cifar10.mjs"), folder], { stdio: "ignore" });
  }
  const options = { inputs: loaded.inputs, modelPath: path, preprocessing: { ...IMAGENET, crop: null } };
  const train = await openDataset(folder, { ...options, split: "train" });
  return {
    title: "ResNet-20, CIFAR-10",
    modelPath: path,
    calibration: split(train, CALIBRATION_SAMPLES).calibration,
    evaluation: limitSamples(await openDataset(folder, options), 5000),
    batchSize: 8,
    note: "Calibrated on 64 training pictures, measured on 5,000 of the 10,000 test pictures (seed 0).",
  };
};

const mnist: TaskMaker = async (shared) => {
  const { path, loaded } = await load(shared, "mnist-cnn.onnx");
  const folder = join(shared, "data", "mnist");
  const options = { inputs: loaded.inputs, modelPath: path, preprocessing: { scale: 1, mean: [0], std: [1] } };
  const train = await openDataset(folder, { ...options, split: "train" });
  return {
    title: "MNIST CNN",
    modelPath: path,
    calibration: split(train, CALIBRATION_SAMPLES).calibration,
    evaluation: await openDataset(folder, options),
    batchSize: 1,
    note: "Calibrated on 64 training pictures, measured on all 10,000 test pictures; the model has a fixed batch of one.",
  };
};

const magika: TaskMaker = async (shared) => {
  const { path } = await load(shared, "magika-v3.3.onnx");
  const codes = new Uint16Array(
    (await readFile(join(shared, "data", "models", "magika-v3.3-inputs.u16.bin"))).slice().buffer,
  );
  const reference = JSON.parse(await readFile(join(shared, "data", "models", "magika-v3.3-reference.json"), "utf8"));
  const labels = Int32Array.from(reference.samples as readonly { index: number }[], ({ index }) => index);
  const inputs = new Tensor("int32", [labels.length, 2048], Int32Array.from(codes));
  const dataset = datasetFromArrays(new Map([["bytes", inputs]]), { description: "Magika's test files", labels });
  return {
    title: "Magika (file types)",
    modelPath: path,
    ...split(dataset, 32),
    batchSize: 1,
    note: "96 files: 32 for calibration, 64 measured, one at a time. One file is 1.6 points.",
  };
};

const stories: TaskMaker = async (shared) => {
  const { path } = await load(shared, "stories260k.onnx");
  const codes = new Uint16Array(
    (await readFile(join(shared, "data", "models", "stories260k-tokens.u16.bin"))).slice().buffer,
  );
  const inputs = new Tensor("int64", [64, 256], BigInt64Array.from(codes, BigInt));
  const dataset = datasetFromArrays(new Map([["tokens", inputs]]), { description: "64 sequences of 256 tokens" });
  return {
    title: "stories260k (language model)",
    modelPath: path,
    ...split(dataset, 16),
    batchSize: 4,
    measure: tokenLoss,
    note: "64 sequences sampled from the float model itself: 16 for calibration, 48 measured, mean negative log-likelihood of tokens 2 to 256.",
  };
};

const superResolution: TaskMaker = async (shared) => {
  const { path } = await load(shared, "super-resolution-x3.onnx");
  const { dataset, originals } = await superResolutionData(join(shared, "data", "imagenet-sample"), 60);
  return {
    title: "Super-resolution x3",
    modelPath: path,
    calibration: selectSamples(
      dataset,
      Array.from({ length: 16 }, (_, i) => i),
    ),
    evaluation: selectSamples(
      dataset,
      Array.from({ length: 44 }, (_, i) => i + 16),
    ),
    batchSize: 4,
    measure: psnrOfSuperResolution(originals.slice(16)),
    note: "Luma of 60 pictures, 252 x 252 reduced to 84 x 84: 16 for calibration, 44 measured.",
  };
};

/** Every task, by the name `--only` takes. */
export const TASKS: Readonly<Record<string, TaskMaker>> = {
  resnet20: cifar,
  squeezenet: imagenetTask("SqueezeNet 1.1, ImageNet", "squeezenet1.1.onnx"),
  mobilenetv2: imagenetTask("MobileNetV2, ImageNet", "mobilenetv2.onnx"),
  mnist,
  "super-resolution": superResolution,
  magika,
  stories,
};
