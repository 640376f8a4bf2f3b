/** Networks, data and ways to train of the experiment on large batches. */
import type { RecipeInput } from "../fit/index.ts";
import type { WalkDesign } from "./random-walk.ts";

/** A network and data, with a small and a large batch. */
export interface Setting {
  readonly key: string;
  readonly title: string;
  /** Of the small batch. */
  readonly recipe: RecipeInput;
  /** B_S, B_L, and samples in a ghost batch. */
  readonly small: number;
  readonly large: number;
  readonly ghost: number;
  /** What is asserted: the pilot's gaps, the order alone, or that adapting overfits wrong labels. */
  readonly asserted: "gaps" | "order" | "counter-example";
  /** Whether the variants beside the five columns are run. */
  readonly variants: boolean;
  /** About how long a run takes on two cores. */
  readonly seconds: { readonly small: number; readonly large: number; readonly adapted: number };
}

/** A way to train with one of the two batch sizes. */
export interface Column {
  readonly key: string;
  readonly name: string;
  /** Keys of the recipe that differ from the small batch's. */
  readonly changes: (setting: Setting) => Pick<RecipeInput, "batch" | "gradientNoise" | "optimizer">;
  readonly length: keyof Setting["seconds"];
}

/** All samples at once, rates scaled by a rule from those of the small batch. */
const whole = ({ large: size, small: reference }: Setting, scaling: "none" | "sqrt" | "linear") => ({ size, reference, scaling }); // biome-ignore format: one line
const ghosts = (setting: Setting) => ({ ...whole(setting, "sqrt"), chunks: setting.large / setting.ghost });

/** The five columns of the published table. */
export const COLUMNS: readonly Column[] = [
  { key: "sb", name: "SB", length: "small", changes: ({ small }) => ({ batch: { size: small } }) },
  { key: "lb", name: "LB", length: "large", changes: (setting) => ({ batch: whole(setting, "none") }) },
  { key: "lr", name: "+LR", length: "large", changes: (setting) => ({ batch: whole(setting, "sqrt") }) },
  { key: "gbn", name: "+GBN", length: "large", changes: (setting) => ({ batch: ghosts(setting) }) },
  { key: "ra", name: "+RA", length: "adapted", changes: (setting) => ({ batch: { ...ghosts(setting), adaptRegime: true } }) },
]; // biome-ignore format: a table

/** Ways to train beside them. */
export const VARIANTS: readonly Column[] = [
  { key: "ra-without-gbn", name: "+RA, without GBN", length: "adapted", changes: (setting) => ({ batch: { ...whole(setting, "sqrt"), adaptRegime: true } }) },
  { key: "linear", name: "LB, linear rule without warm-up", length: "large", changes: (setting) => ({ batch: whole(setting, "linear") }) },
  { key: "noise", name: "LB, multiplicative noise", length: "large", changes: (setting) => ({ batch: whole(setting, "none"), gradientNoise: {} }) },
  { key: "reset", name: "+LR, momentum reset at each epoch", length: "large", changes: (setting) => ({ batch: whole(setting, "sqrt"), optimizer: { kind: "sgd", momentum: 0.9, resetMomentumEachEpoch: true } }) },
]; // biome-ignore format: a table

/** What each variant is compared with. */
export const BESIDE: Readonly<Record<string, string>> = {
  "ra-without-gbn": "ra",
  linear: "lr",
  noise: "lb",
  reset: "lr",
};

/** Returns what is run of a setting. */
export function columnsOf({ variants }: Setting): readonly Column[] {
  return variants ? [...COLUMNS, ...VARIANTS] : COLUMNS;
}

type Made = Omit<Setting, "large" | "ghost" | "seconds">;

/** Rates of the pilot: 0.1 for the small batch, a tenth at 50 and 80 percent. */
function training(
  epochs: number,
): Pick<RecipeInput, "epochs" | "optimizer" | "learningRate" | "schedule" | "clip" | "evaluation"> {
  return {
    epochs,
    optimizer: { kind: "sgd", momentum: 0.9 },
    learningRate: 0.1,
    schedule: { kind: "multi-step", milestones: [0.5 * epochs, 0.8 * epochs] },
    clip: { norm: 5 },
    evaluation: { every: epochs },
  };
}

interface PerceptronSize {
  readonly samples: number;
  readonly epochs: number;
  readonly labelNoise?: number;
}

/** The pilot's perceptron on some pictures. */
function perceptron(key: string, set: string, { samples, epochs, labelNoise = 0 }: PerceptronSize): Made {
  return {
    key,
    title: "MNIST, MLP, 4,000 pictures",
    recipe: { model: MLP, data: { set, limit: samples, labelNoise }, ...training(epochs) },
    small: 64,
    asserted: "gaps",
    variants: false,
  };
}

interface ConvnetSize {
  readonly samples: number;
  readonly epochs: number;
  readonly width: number;
}

/** A convnet of three stages on some pictures. */
function convnet(set: string, { samples, epochs, width }: ConvnetSize): Made {
  const model = { name: "small-convnet", width };
  return {
    key: "convnet",
    title: "Fashion-MNIST, convnet",
    recipe: { model, data: { set, limit: samples }, ...training(epochs) },
    small: 64,
    asserted: "order",
    variants: false,
  };
}

/** Two normalized hidden layers of 128. */
const MLP: RecipeInput["model"] = { name: "mlp", width: 0.5, normalization: { kind: "batch" } };

/** The published recipe of F1. */
function publishedF1(): RecipeInput {
  return {
    model: { name: "f1" },
    data: { set: "mnist" },
    ...training(50),
    optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 1e-4 },
    schedule: { kind: "multi-step", milestones: [10, 20, 30] },
  };
}

function seconds(small: number, large: number, adapted: number): Setting["seconds"] {
  return { small, large, adapted };
}

function walkDesign(
  set: string,
  parts: Pick<WalkDesign, "samples" | "potentialBatch" | "potentialSeconds">,
  runs: readonly (readonly [batch: number, updates: number, seconds: number])[],
): WalkDesign {
  const recipe: RecipeInput = {
    model: MLP,
    data: { set },
    epochs: 1,
    optimizer: { kind: "sgd", momentum: 0.9 },
    learningRate: 0.05,
  };
  const variants = runs.flatMap(([batch, updates, seconds], i) =>
    (i === 0 ? [false] : [false, true]).map((remedies) => ({ batch, updates, seconds, remedies })),
  );
  return { ...parts, recipe, runs: variants };
}

/** What runs at each scale; seconds are of two cores. */
export const SMOKE: readonly Setting[] = [
  { ...perceptron("mlp", "example", { samples: 500, epochs: 4 }), title: "example, MLP", small: 25, large: 250, ghost: 25, variants: true, seconds: seconds(1, 1, 1) },
  { ...convnet("example", { samples: 500, epochs: 1, width: 0.25 }), title: "example, convnet", small: 25, large: 250, ghost: 25, seconds: seconds(1, 1, 2) },
]; // biome-ignore format: a table
/** Twenty minutes. */
export const SMALL: readonly Setting[] = [
  { ...perceptron("mlp-2000", "mnist", { samples: 4000, epochs: 10 }), large: 2000, ghost: 50, variants: true, seconds: seconds(4, 2, 30) },
  { ...perceptron("mlp-1024", "mnist", { samples: 4096, epochs: 6 }), title: "MNIST, MLP, 4,096 pictures", large: 1024, ghost: 64, seconds: seconds(3, 2, 20) },
  { ...perceptron("mlp-noise", "mnist", { samples: 4000, epochs: 10, labelNoise: 0.2 }), title: "MNIST, MLP, 20 % wrong labels", large: 2000, ghost: 50, asserted: "counter-example", seconds: seconds(4, 2, 30) },
  { ...convnet("fashion-mnist", { samples: 6144, epochs: 5, width: 0.5 }), large: 2048, ghost: 64, seconds: seconds(8, 6, 130) },
]; // biome-ignore format: a table
/** Two days. */
export const FULL: readonly Setting[] = [
  { ...perceptron("f1", "mnist", { samples: 60_000, epochs: 50 }), title: "MNIST, F1", recipe: publishedF1(), small: 128, large: 4096, ghost: 128, asserted: "order", variants: true, seconds: seconds(1300, 1300, 15_000) },
  { ...convnet("fashion-mnist", { samples: 60_000, epochs: 10, width: 1 }), large: 2048, ghost: 64, seconds: seconds(140, 140, 4300) },
]; // biome-ignore format: a table

/** Batch, updates and seconds of the walks. */
export const SMOKE_WALK: WalkDesign = walkDesign(
  "example",
  { samples: 500, potentialBatch: 100, potentialSeconds: 2 },
  [[25, 64, 1], [50, 32, 1]],
); // biome-ignore format: a table
/** The pilot's, and larger batches. */
export const SMALL_WALK: WalkDesign = walkDesign(
  "mnist",
  { samples: 4000, potentialBatch: 1000, potentialSeconds: 8 },
  [[32, 3000, 8], [128, 1500, 8], [512, 750, 10]],
); // biome-ignore format: a table
/** All pictures. */
export const FULL_WALK: WalkDesign = walkDesign(
  "mnist",
  { samples: 60_000, potentialBatch: 4000, potentialSeconds: 30 },
  [[32, 30_000, 60], [128, 15_000, 70], [512, 7500, 100], [2048, 3750, 150]],
); // biome-ignore format: a table
