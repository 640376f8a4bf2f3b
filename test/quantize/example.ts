/** The embedded example: its model, and its pictures as feeds. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { feedSource, limitSamples } from "../../src/data/index.ts";
import { openDataset, readModelFile } from "../../src/files/index.ts";
import type { ModelFile } from "../../src/onnx/index.ts";
import type { CalibrationData, Feeds } from "../../src/quantize/index.ts";
import type { Runtime, SessionOptions } from "../../src/runtime/index.ts";
import { topClasses } from "./top-classes.ts";

const FOLDER = fileURLToPath(new URL("../../examples/fashion-mnist/", import.meta.url));
const MODEL = `${FOLDER}model.onnx`;

/** The example's model as bytes. */
export const exampleBytes: Uint8Array = readFileSync(MODEL);

/** The example's 500 test pictures in batches, and their classes. */
export interface ExamplePictures {
  readonly batches: readonly Feeds[];
  readonly labels: Int32Array;
}

/** Reads the test pictures. */
export async function examplePictures(batchSize = 50): Promise<ExamplePictures> {
  const { inputs } = await readModelFile(MODEL);
  const dataset = await openDataset(FOLDER, { inputs, modelPath: MODEL, split: "test" });
  const batches: Feeds[] = [];
  for await (const feeds of feedSource(dataset, inputs, batchSize).batches()) batches.push(feeds);
  return { batches, labels: dataset.labels! };
}

/** Returns training pictures to calibrate on. */
export async function exampleCalibration(count = 64): Promise<CalibrationData> {
  const { inputs } = await readModelFile(MODEL);
  const dataset = await openDataset(FOLDER, { inputs, modelPath: MODEL, split: "train" });
  return feedSource(limitSamples(dataset, count), inputs);
}

/** Returns the class that a model gives each picture. */
export async function classesOf(
  model: ModelFile,
  { batches }: ExamplePictures,
  runtime: Runtime,
  options: SessionOptions = {},
): Promise<number[]> {
  const session = await runtime.createSession(model, options);
  try {
    const classes: number[] = [];
    for (const feeds of batches) {
      const { logits } = await session.run(feeds);
      classes.push(...topClasses(logits!.data as Float32Array, logits!.shape[0]!));
    }
    return classes;
  } finally {
    await session.release();
  }
}

/** Returns the percentage of pictures of the right class. */
export function accuracyOf(classes: readonly number[], { labels }: ExamplePictures): number {
  return (100 * classes.filter((best, i) => best === labels[i]).length) / classes.length;
}
