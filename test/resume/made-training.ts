/** A training run for tests of resuming: small, and with everything a resumed run must get right. */
import { datasetFromArrays, type TrainingData } from "../../src/data/index.ts";
import type { RunDescription } from "../../src/files/index.ts";
import { type Recipe, recipeSchema } from "../../src/fit/index.ts";
import { seededRandom, Tensor } from "../../src/tensor/index.ts";

const CLASSES = 4;
const SIDE = 6;

/** What the runs compute in. In 8 bits: random rounding, and ranges of activations and gradients from the step before. */
export const PRECISIONS = {
  float32: { kind: "float32" },
  int8: { kind: "int8", activations: { range: "delayed" }, gradients: { range: "delayed", rounding: "stochastic" } },
} as const;

/** Statistics, dropout, slots and counters of AdamW, a moving average, a schedule, augmentation, early metrics of best weights. */
export function madeRecipe(epochs: number, precision: keyof typeof PRECISIONS): Recipe {
  return recipeSchema.parse({
    model: { name: "mlp", width: 0.05, dropout: 0.2, normalization: { kind: "batch" } },
    data: { set: "made:up", augment: [{ kind: "crop", padding: 1 }, { kind: "flip" }, { kind: "mixup", alpha: 0.4 }] },
    epochs,
    batch: { size: 8 },
    optimizer: { kind: "adamw", weightDecay: 0.01 },
    learningRate: 0.01,
    warmup: 0.5,
    averaging: { decay: 0.9 },
    precision: PRECISIONS[precision],
    evaluation: { every: 0.7, batch: 16 },
    seed: 5,
  });
}

/** Pictures in which a stripe says the class, in noise: 75 to train on, so that a pass is nine batches and three samples. */
export function madeData(): TrainingData {
  return {
    name: "made",
    kind: "pictures",
    train: pictures(75, 1),
    validation: undefined,
    test: pictures(20, 2),
    classes: CLASSES,
    classNames: undefined,
    sampleShape: [1, SIDE, SIDE],
    dtype: "uint8",
    normalization: { scale: 1 / 255, mean: [0.5], std: [0.25] },
    fingerprint: "made up",
  };
}

/** `run.json` of such a run. */
export function madeDescription(recipe: Recipe): RunDescription {
  return {
    version: 1,
    recipe,
    modicum: "0",
    onnxruntime: "onnxruntime-node",
    node: process.version,
    seed: recipe.seed,
    dataFingerprint: "made up",
    dataDescription: "made up",
    device: "cpu",
    created: "2026-01-01T00:00:00.000Z",
  };
}

function pictures(count: number, seed: number) {
  const random = seededRandom(seed);
  const labels = Int32Array.from({ length: count }, () => Math.floor(random.uniform() * CLASSES));
  const bytes = Uint8Array.from({ length: count * SIDE * SIDE }, (_, i) => {
    const [sample, row] = [Math.floor(i / (SIDE * SIDE)), Math.floor(i / SIDE) % SIDE];
    return 120 * random.uniform() + (row === labels[sample]! + 1 ? 100 : 0);
  });
  const x = new Tensor("uint8", [count, 1, SIDE, SIDE], bytes);
  return datasetFromArrays(new Map([["x", x]]), { description: "made up", labels });
}
