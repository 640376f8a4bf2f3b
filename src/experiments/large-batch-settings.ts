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
  /** Training samples held back where clocks for the learning rate are compared; 0: they are not. */
  readonly clockValidation: number;
  /** About how long a run takes on two cores. */
  readonly seconds: { readonly small: number; readonly large: number; readonly adapted: number };
}

/** Keys of the recipe that differ from the small batch's. */
type Changes = Partial<Pick<RecipeInput, "model" | "batch" | "gradientNoise" | "optimizer">>;

/** A way to train with one of the two batch sizes. */
export interface Column {
  readonly key: string;
  readonly name: string;
  readonly changes: (setting: Setting) => Changes;
  readonly length: keyof Setting["seconds"];
}

const SGD = { kind: "sgd", momentum: 0.9 } as const;

/** All samples at once, rates scaled by a rule from those of the small batch. */
function whole({ large, small }: Setting, scaling: "none" | "sqrt" | "linear"): NonNullable<RecipeInput["batch"]> {
  return { size: large, reference: small, scaling };
}

/** Rates by the root rule, and ghost batches as chunks. */
function ghosts(setting: Setting): NonNullable<RecipeInput["batch"]> {
  return { ...whole(setting, "sqrt"), chunks: setting.large / setting.ghost };
}

/** The network with other batch norms. */
function normalized({ recipe }: Setting, options: { readonly ghost?: number; readonly momentum?: number }): Changes {
  return { model: { ...recipe.model, normalization: { kind: "batch", ...options } } };
}

/** The five columns of the published table. */
export const COLUMNS: readonly Column[] = [
  { key: "sb", name: "SB", length: "small", changes: ({ small }) => ({ batch: { size: small } }) },
  { key: "lb", name: "LB", length: "large", changes: (setting) => ({ batch: whole(setting, "none") }) },
  { key: "lr", name: "+LR", length: "large", changes: (setting) => ({ batch: whole(setting, "sqrt") }) },
  { key: "gbn", name: "+GBN", length: "large", changes: (setting) => ({ batch: ghosts(setting) }) },
  {
    key: "ra",
    name: "+RA",
    length: "adapted",
    changes: (setting) => ({ batch: { ...ghosts(setting), adaptRegime: true } }),
  },
];

/** A way to train beside the five columns. */
export interface Variant extends Column {
  /** Key of the column that it is compared with. */
  readonly beside: string;
}

export const VARIANTS: readonly Variant[] = [
  {
    key: "ra-without-gbn",
    name: "+RA, without GBN",
    beside: "ra",
    length: "adapted",
    changes: (setting) => ({ batch: { ...whole(setting, "sqrt"), adaptRegime: true } }),
  },
  {
    key: "linear",
    name: "LB, linear rule without warm-up",
    beside: "lr",
    length: "large",
    changes: (setting) => ({ batch: whole(setting, "linear") }),
  },
  {
    key: "noise",
    name: "LB, multiplicative noise",
    beside: "lb",
    length: "large",
    changes: (setting) => ({ batch: whole(setting, "none"), gradientNoise: {} }),
  },
  {
    key: "reset",
    name: "+LR, momentum reset at each epoch",
    beside: "lr",
    length: "large",
    changes: (setting) => ({ batch: whole(setting, "sqrt"), optimizer: { ...SGD, resetMomentumEachEpoch: true } }),
  },
  {
    key: "running",
    name: "+LR, running statistics that follow five times as fast",
    beside: "lr",
    length: "large",
    changes: (setting) => ({ batch: whole(setting, "sqrt"), ...normalized(setting, { momentum: 0.5 }) }),
  },
  ...[10, 500].map(
    (ghost): Variant => ({
      key: `ghost-${ghost}`,
      name: `+GBN, ghost batches of ${ghost}`,
      beside: "gbn",
      length: "large",
      changes: (setting) => ({ batch: whole(setting, "sqrt"), ...normalized(setting, { ghost }) }),
    }),
  ),
];

/** Returns what is run of a setting. */
export function columnsOf({ variants }: Setting): readonly Column[] {
  return variants ? [...COLUMNS, ...VARIANTS] : COLUMNS;
}

/** What settings have in common unless they say otherwise. */
const PLAIN = { asserted: "gaps", variants: false, clockValidation: 0 } as const;

/** Rates of the pilot: 0.1 for the small batch, a tenth at 50 and 80 percent. */
function training(
  epochs: number,
): Pick<RecipeInput, "epochs" | "optimizer" | "learningRate" | "schedule" | "clip" | "evaluation"> {
  return {
    epochs,
    optimizer: SGD,
    learningRate: 0.1,
    schedule: { kind: "multi-step", milestones: [0.5 * epochs, 0.8 * epochs] },
    clip: { norm: 5 },
    evaluation: { every: epochs },
  };
}

/** Two normalized hidden layers of 128: the pilot's. */
const MLP: RecipeInput["model"] = { name: "mlp", width: 0.5, normalization: { kind: "batch" } };

interface PerceptronSize {
  readonly samples: number;
  readonly epochs: number;
  readonly labelNoise?: number;
}

/** The pilot's perceptron on some pictures. */
function perceptron(set: string, { samples, epochs, labelNoise = 0 }: PerceptronSize): RecipeInput {
  return { model: MLP, data: { set, limit: samples, labelNoise }, ...training(epochs) };
}

interface ConvnetSize {
  readonly samples: number;
  readonly epochs: number;
  readonly width: number;
}

/** A convnet of three stages on some pictures. */
function convnet(set: string, { samples, epochs, width }: ConvnetSize): RecipeInput {
  return { model: { name: "small-convnet", width }, data: { set, limit: samples }, ...training(epochs) };
}

/** The published recipe of F1. */
function publishedF1(): RecipeInput {
  return {
    model: { name: "f1" },
    data: { set: "mnist" },
    ...training(50),
    optimizer: { ...SGD, weightDecay: 1e-4 },
    schedule: { kind: "multi-step", milestones: [10, 20, 30] },
  };
}

/** What runs at each scale; seconds are of two cores. */
export const SMOKE: readonly Setting[] = [
  {
    ...PLAIN,
    key: "mlp",
    title: "example, MLP",
    recipe: perceptron("example", { samples: 500, epochs: 4 }),
    small: 25,
    large: 250,
    ghost: 25,
    variants: true,
    clockValidation: 100,
    seconds: { small: 0.5, large: 0.5, adapted: 0.7 },
  },
  {
    ...PLAIN,
    key: "convnet",
    title: "example, convnet",
    recipe: convnet("example", { samples: 500, epochs: 1, width: 0.25 }),
    small: 25,
    large: 250,
    ghost: 25,
    asserted: "order",
    seconds: { small: 1, large: 1, adapted: 2 },
  },
];

/** Twenty minutes. */
export const SMALL: readonly Setting[] = [
  {
    ...PLAIN,
    key: "mlp-2000",
    title: "MNIST, MLP, 4,000 pictures",
    recipe: perceptron("mnist", { samples: 4000, epochs: 10 }),
    small: 64,
    large: 2000,
    ghost: 50,
    variants: true,
    seconds: { small: 2, large: 1.5, adapted: 16 },
  },
  {
    ...PLAIN,
    key: "mlp-1024",
    title: "MNIST, MLP, 4,096 pictures",
    recipe: perceptron("mnist", { samples: 4096, epochs: 6 }),
    small: 64,
    large: 1024,
    ghost: 64,
    variants: true,
    clockValidation: 1000,
    seconds: { small: 2, large: 1.5, adapted: 5 },
  },
  {
    ...PLAIN,
    key: "mlp-noise",
    title: "MNIST, MLP, 20 % random labels",
    // A random label is the true one in a tenth of the cases.
    recipe: perceptron("mnist", { samples: 4000, epochs: 10, labelNoise: 0.18 }),
    small: 64,
    large: 2000,
    ghost: 50,
    asserted: "counter-example",
    seconds: { small: 2, large: 1.5, adapted: 14 },
  },
  {
    ...PLAIN,
    key: "convnet",
    title: "Fashion-MNIST, convnet",
    recipe: convnet("fashion-mnist", { samples: 6144, epochs: 5, width: 0.25 }),
    small: 64,
    large: 512,
    ghost: 64,
    asserted: "order",
    seconds: { small: 5, large: 4, adapted: 20 },
  },
];

/** Two days. */
export const FULL: readonly Setting[] = [
  {
    ...PLAIN,
    key: "f1",
    title: "MNIST, F1",
    recipe: publishedF1(),
    small: 128,
    large: 4096,
    ghost: 128,
    asserted: "order",
    variants: true,
    seconds: { small: 1300, large: 1300, adapted: 15_000 },
  },
  {
    ...PLAIN,
    key: "convnet",
    title: "Fashion-MNIST, convnet",
    recipe: convnet("fashion-mnist", { samples: 60_000, epochs: 10, width: 1 }),
    small: 64,
    large: 2048,
    ghost: 64,
    asserted: "order",
    clockValidation: 5000,
    seconds: { small: 140, large: 140, adapted: 4300 },
  },
];

/** A walk's batch size, updates, and seconds. */
type WalkSize = readonly [batch: number, updates: number, seconds: number];

function walkDesign(
  set: string,
  parts: Pick<WalkDesign, "samples" | "potentialBatch" | "potentialSeconds">,
  sizes: readonly WalkSize[],
): WalkDesign {
  const recipe: RecipeInput = { model: MLP, data: { set }, epochs: 1, optimizer: SGD, learningRate: 0.05 };
  // The smallest batch needs no remedies.
  const runs = sizes.flatMap(([batch, updates, seconds], i) =>
    (i === 0 ? [false] : [false, true]).map((remedies) => ({ batch, updates, seconds, remedies })),
  );
  return { ...parts, recipe, runs };
}

export const SMOKE_WALK: WalkDesign = walkDesign(
  "example",
  { samples: 500, potentialBatch: 100, potentialSeconds: 1 },
  [
    [25, 64, 0.5],
    [50, 32, 0.5],
  ],
);

/** The pilot's, and larger batches. */
export const SMALL_WALK: WalkDesign = walkDesign(
  "mnist",
  { samples: 4000, potentialBatch: 1000, potentialSeconds: 8 },
  [
    [32, 3000, 8],
    [128, 1500, 8],
    [512, 750, 10],
  ],
);

/** All pictures. */
export const FULL_WALK: WalkDesign = walkDesign(
  "mnist",
  { samples: 60_000, potentialBatch: 4000, potentialSeconds: 30 },
  [
    [32, 30_000, 60],
    [128, 15_000, 70],
    [512, 7500, 100],
    [2048, 3750, 150],
  ],
);
