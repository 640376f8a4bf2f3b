/** The classifiers of docs/results/ladder.md: for each seed other pictures to fit to, and pictures to measure on. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Dataset, limitSamples, type PreprocessingSettings, selectSamples } from "../../src/data/index.ts";
import { openDataset, readModelFile } from "../../src/files/index.ts";
import { seededRandom, shuffledIndices } from "../../src/tensor/index.ts";

/** A classifier with its pictures. */
export interface LadderTask {
  readonly title: string;
  readonly modelPath: string;
  /** At most 256, without use of their labels. */
  readonly calibration: Dataset;
  readonly evaluation: Dataset;
  readonly note: string;
}

/** Makes a task from the folder of shared data; models trained here are kept in `work`. */
export type LadderTaskMaker = (shared: string, work: string, seed: number) => Promise<LadderTask>;

const IMAGENET: PreprocessingSettings = {
  resize: null,
  crop: 224,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

const CIFAR_PICTURES = { fit: 256, measured: 5000 } as const;
const IMAGENET_FIT = 250;

function imagenet(title: string, file: string): LadderTaskMaker {
  return async (shared, _work, seed) => {
    const modelPath = join(shared, "data", "models", file);
    const { inputs, classCount } = await readModelFile(modelPath);
    const options = { inputs, classCount, modelPath, preprocessing: IMAGENET };
    const dataset = await openDataset(join(shared, "data", "imagenet-sample"), options);
    const order = shuffledIndices(dataset.count, seededRandom(seed));
    return {
      title,
      modelPath,
      calibration: selectSamples(dataset, order.slice(0, IMAGENET_FIT)),
      evaluation: selectSamples(dataset, order.slice(IMAGENET_FIT).sort()),
      note: "500 ImageNet pictures (most likely training pictures): 250 to fit to, the other 250 measured, drawn anew for each seed. One picture is 0.4 points.",
    };
  };
}

/** CIFAR-10 in its binary layout. */
function cifarFolder(shared: string): string {
  const folder = join(tmpdir(), "modicum-cifar10");
  if (!existsSync(join(folder, "cifar-10-batches-bin", "data_batch_5.bin"))) {
    execFileSync(process.execPath, [join(shared, "tools", "unpack-cifar10.mjs"), folder], { stdio: "ignore" });
  }
  return folder;
}

async function cifar(
  title: string,
  modelPath: string,
  { shared, seed, preprocessing }: { shared: string; seed: number; preprocessing: PreprocessingSettings },
): Promise<LadderTask> {
  const { inputs } = await readModelFile(modelPath);
  const folder = cifarFolder(shared);
  const options = { inputs, modelPath, preprocessing };
  const train = await openDataset(folder, { ...options, split: "train" });
  return {
    title,
    modelPath,
    calibration: limitSamples(train, CIFAR_PICTURES.fit, seed),
    evaluation: limitSamples(await openDataset(folder, options), CIFAR_PICTURES.measured),
    note: "256 training pictures to fit to, drawn anew for each seed; 5,000 of the 10,000 test pictures measured, the same for all.",
  };
}

const resnet20: LadderTaskMaker = (shared, _work, seed) =>
  cifar("ResNet-20, CIFAR-10", join(shared, "data", "models", "resnet20-cifar10.onnx"), {
    shared,
    seed,
    preprocessing: { ...IMAGENET, crop: null },
  });

/** Trained here, as docs/results/aciq.md trains it. */
const vgg: LadderTaskMaker = async (shared, work, seed) => {
  const modelPath = join(work, "vgg16-bn.onnx");
  if (!existsSync(modelPath)) {
    const modicum = join(import.meta.dirname, "..", "..", "bin", "modicum.js");
    const run = (...argv: string[]) => execFileSync(process.execPath, [modicum, ...argv], { stdio: "inherit" });
    const folder = join(work, "vgg16-bn");
    const data = `cifar10:${cifarFolder(shared)}`;
    run("train", "vgg16-bn", "--data", data, "--epochs", "6", "--set", "model.width=0.25", "--output", folder);
    run("export", folder, "--output", modelPath, "--weights", "last");
  }
  return cifar("VGG-16-BN (a quarter of its width), CIFAR-10, trained here", modelPath, {
    shared,
    seed,
    preprocessing: {},
  });
};

/** Every classifier, by the name `--only` takes. */
export const LADDER_TASKS: Readonly<Record<string, LadderTaskMaker>> = {
  resnet20,
  "vgg16-bn": vgg,
  squeezenet: imagenet("SqueezeNet 1.1, ImageNet", "squeezenet1.1.onnx"),
  mobilenetv2: imagenet("MobileNetV2, ImageNet", "mobilenetv2.onnx"),
};
