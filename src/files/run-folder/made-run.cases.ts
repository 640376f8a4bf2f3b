/** Runs made up for tests. */
import { type Checkpoint, type RunEvent, type RunPosition, recipeSchema } from "../../fit/index.ts";
import { float32, Tensor } from "../../tensor/index.ts";
import type { RunDescription } from "./run-description.ts";

export const MADE_DESCRIPTION: RunDescription = {
  version: 1,
  recipe: recipeSchema.parse({ model: { name: "mlp" }, data: { set: "mnist:data" }, epochs: 3 }),
  modicum: "0.1.0",
  onnxruntime: "onnxruntime-node 1.30.0",
  node: "v20.20.2",
  seed: 0,
  dataFingerprint: "00",
  dataDescription: "made up",
  network: { kind: "pictures", classes: 2, sampleShape: [1, 2, 2], dtype: "uint8" },
  device: "cpu",
  created: "2026-01-01T00:00:00.000Z",
};

/** A checkpoint whose variables depend on its step. */
export function madeCheckpoint(step: number, best: Checkpoint["progress"]["best"] = null): Checkpoint {
  return {
    progress: {
      step,
      epoch: 0,
      batch: step,
      seconds: step / 7,
      best,
      evaluationsSinceBest: 0,
      unreported: { steps: 1, sums: { loss: 0.1 + step } },
    },
    variables: {
      weight: float32([2, 3], [step, -0, 1e-40, Number.NaN, Number.POSITIVE_INFINITY, 1 / 3]),
      step: new Tensor("int64", [], BigInt64Array.of(BigInt(step))),
    },
  };
}

export function madePosition(step: number): RunPosition & { readonly time: number } {
  return { step, epoch: step / 10, seconds: step / 7, time: 1_700_000_000_000 + step * 1000 };
}

export function madeSteps(step: number): RunEvent {
  const metrics = { loss: 1 / step, top1: 100 - 50 / step };
  return { ...madePosition(step), type: "steps", metrics, learningRate: 0.1, samplesPerSecond: 1000 + step };
}

export function madeEvaluation(step: number): RunEvent {
  const result = {
    loss: 2 / step,
    top1: 90 - 50 / step,
    top5: 99,
    count: 4,
    confusion: [
      [1, 1],
      [0, 2],
    ],
  };
  return { ...madePosition(step), type: "evaluation", split: "test", weights: "last", ...result };
}
