/** Which test samples a network gets right, for experiments that compare networks on the same samples. */
import type { Dataset } from "../data/index.ts";
import { evaluateModels } from "../evaluate/index.ts";
import { type ModelFile, modelSizeBytes } from "../onnx/index.ts";
import { seededRandom, shuffledIndices } from "../tensor/index.ts";
import type { Lab } from "./experiment.ts";
import { normalizedSamples } from "./normalized-samples.ts";
import { packOutcomes } from "./right-or-wrong.ts";

/** Samples that networks are calibrated and measured on. */
export interface MeasuredSamples {
  /** Name of one of the scale's data sets. */
  readonly dataSet: string;
  /** Training samples to calibrate on; the seed draws them. */
  readonly calibrationSamples: number;
  /** Test samples to measure on, the same for every seed. */
  readonly testSamples: number;
}

/** How a network does on the test samples. */
export interface Outcomes {
  /** Percent. */
  readonly top1: number;
  /** Which samples it gets right, in a fixed order: for `unpackOutcomes`. */
  readonly right: string;
}

/** Reads the training samples to calibrate on, normalized. */
export async function calibrationSamples(lab: Lab, samples: MeasuredSamples): Promise<Dataset> {
  const { train, normalization } = lab.dataSet(samples.dataSet).data;
  const drawn = shuffledIndices(train.count, seededRandom(lab.seed)).slice(0, samples.calibrationSamples);
  return normalizedSamples(train, normalization, drawn);
}

/**
 * Runs a network on the test samples.
 *
 * @param model Takes normalized samples as its only input; its first output is scores [batch, classes].
 */
export async function measureOutcomes(lab: Lab, model: ModelFile, samples: MeasuredSamples): Promise<Outcomes> {
  const { test, normalization } = lab.dataSet(samples.dataSet).data;
  // The same samples whatever the seed: networks of all seeds are compared on them.
  const drawn = shuffledIndices(test!.count, seededRandom(0)).slice(0, samples.testSamples).sort();
  const dataset = await normalizedSamples(test!, normalization, drawn);
  const session = await lab.runtime.createSession(model, { keepQuantization: true });
  try {
    const { shape } = (await dataset.sample(0)).x!;
    const inputs = [{ name: session.inputNames[0]!, dtype: "float32", shape: ["batch", ...shape] }] as const;
    const evaluated = { path: samples.dataSet, sizeBytes: modelSizeBytes(model), session, inputs, dataset };
    const { models, predictions } = await evaluateModels([evaluated], { batchSize: 50, timing: false });
    const right = Uint8Array.from(predictions[0]!, (prediction, i) => (prediction === dataset.labels![i] ? 1 : 0));
    return { top1: models[0]!.top1!, right: packOutcomes(right) };
  } finally {
    await session.release();
  }
}
