/** Recipes: everything that decides how a network is trained, as one validated object that is JSON. */
import { z } from "zod";

const positive = z.number().positive();
const fraction = z.number().min(0).lt(1);
const whole = z.int().min(1);
const probability = z.number().min(0).max(1);

/** What normalizes activations inside the network. */
const normalization = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("batch"), momentum: fraction.optional(), epsilon: positive.optional() }),
  z.strictObject({ kind: z.literal("group"), groups: whole, epsilon: positive.optional() }),
  z.strictObject({ kind: z.literal("instance"), epsilon: positive.optional() }),
  z.strictObject({ kind: z.literal("none") }),
]);

/** The last layer, from features to classes. */
const head = z.discriminatedUnion("kind", [z.strictObject({ kind: z.literal("linear") })]);

/** A network of the zoo, or somebody's ONNX file with a new head. */
const model = z.union([
  z.strictObject({
    name: z.string().min(1),
    width: positive.optional(),
    depth: whole.optional(),
    dropout: fraction.optional(),
    normalization: normalization.optional(),
    head: head.optional(),
  }),
  z.strictObject({
    /** Path of the model; its last layer is replaced. */
    onnx: z.string().min(1),
    /** Value whose features the new head reads. Default: what the last layer reads. */
    features: z.string().optional(),
    /** "all" trains everything, "head" the new head only. */
    train: z.enum(["all", "head"]).default("all"),
    head: head.optional(),
  }),
]);

const augmentation = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("crop"), padding: whole.default(4) }),
  z.strictObject({ kind: z.literal("flip") }),
  z.strictObject({
    kind: z.literal("colour"),
    brightness: fraction.default(0),
    contrast: fraction.default(0),
    saturation: fraction.default(0),
  }),
  z.strictObject({ kind: z.literal("cutout"), size: whole }),
  z.strictObject({ kind: z.literal("mixup"), alpha: positive }),
]);

const data = z.strictObject({
  /** `name:path`, such as `cifar10:data/cifar-10-batches-bin`. */
  set: z.string().min(1),
  /** Samples taken from the training part to choose the best epoch: a share below 1, or a count. Default 0: none. */
  validation: z.number().min(0).default(0),
  /** Training samples used, the same share of each class. Default: all. */
  limit: whole.optional(),
  /** Test samples used, the same share of each class. Default: all. */
  testLimit: whole.optional(),
  /** Share of training labels that are replaced by another class. Default 0. */
  labelNoise: probability.default(0),
  /** Tokens in a sample of text. */
  length: whole.optional(),
  /** Side that pictures are resized to. */
  size: whole.optional(),
  /** Whether unreadable pictures are left out (they are counted) instead of ending the run. Default false. */
  skipUnreadable: z.boolean().default(false),
  augment: z.array(augmentation).default([]),
});

const groups = z.array(
  z.strictObject({
    /** Regular expression that a parameter's path must match, such as `\\.bias$`. The first group that matches counts. */
    match: z.string().min(1),
    learningRateFactor: z.number().min(0).optional(),
    weightDecay: z.number().min(0).optional(),
    frozen: z.boolean().optional(),
  }),
);

const optimizerCommon = { weightDecay: z.number().min(0).default(0), groups: groups.default([]) };

const optimizer = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("sgd"),
    momentum: fraction.default(0.9),
    nesterov: z.boolean().default(false),
    decoupled: z.boolean().default(false),
    ...optimizerCommon,
  }),
  ...(["adam", "adamw"] as const).map((kind) =>
    z.strictObject({
      kind: z.literal(kind),
      beta1: fraction.default(0.9),
      beta2: fraction.default(0.999),
      epsilon: positive.default(1e-8),
      ...optimizerCommon,
    }),
  ),
  z.strictObject({
    kind: z.literal("rmsprop"),
    alpha: fraction.default(0.99),
    epsilon: positive.default(1e-8),
    momentum: fraction.default(0),
    ...optimizerCommon,
  }),
  z.strictObject({ kind: z.literal("adagrad"), epsilon: positive.default(1e-10), ...optimizerCommon }),
]);

/** How the learning rate changes; lengths are in epochs and may be fractions. */
const schedule = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("constant") }),
  z.strictObject({ kind: z.literal("step"), every: positive, factor: positive.default(0.1) }),
  z.strictObject({ kind: z.literal("multi-step"), milestones: z.array(positive), factor: positive.default(0.1) }),
  z.strictObject({ kind: z.literal("cosine"), minimum: z.number().min(0).default(0) }),
  z.strictObject({ kind: z.literal("one-cycle"), riseFraction: probability.default(0.3) }),
  z.strictObject({ kind: z.literal("polynomial"), power: positive.default(1) }),
]);

/** The schema of recipes. Unknown keys are errors. */
export const recipeSchema = z.strictObject({
  /** Version of the format. */
  version: z.literal(1).default(1),
  model,
  data,
  epochs: positive,
  batch: z
    .strictObject({
      size: whole.default(128),
      /** Equal parts that are computed one after the other, each with batch statistics of its own (ghost batches). */
      chunks: whole.default(1),
    })
    .prefault({}),
  optimizer: optimizer.prefault({ kind: "sgd" }),
  learningRate: positive.default(0.1),
  schedule: schedule.prefault({ kind: "cosine" }),
  /** Epochs in which the learning rate rises from 0. */
  warmup: z.number().min(0).default(0),
  loss: z
    .strictObject({ kind: z.literal("cross-entropy").default("cross-entropy"), labelSmoothing: fraction.default(0) })
    .prefault({}),
  /** Gradients are scaled down to this norm, or cut to this size. */
  clip: z.strictObject({ norm: positive.optional(), value: positive.optional() }).optional(),
  precision: z
    .discriminatedUnion("kind", [z.strictObject({ kind: z.enum(["float32", "float64"]) })])
    .prefault({ kind: "float32" }),
  /** Exponential moving average of the weights: average = decay average + (1 - decay) weights, after each step. */
  averaging: z.strictObject({ decay: fraction }).optional(),
  evaluation: z
    .strictObject({
      /** Epochs between evaluations. The last step is always followed by one. */
      every: positive.default(1),
      batch: whole.default(256),
    })
    .prefault({}),
  /** Ends the run when this many evaluations in a row were no better than the best. */
  earlyStopping: z.strictObject({ patience: whole, metric: z.enum(["top1", "loss"]).default("top1") }).optional(),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(0),
});

/** A complete recipe: every default filled in. */
export type Recipe = z.output<typeof recipeSchema>;

/** A recipe as it is written: what is left out has its default. */
export type RecipeInput = z.input<typeof recipeSchema>;
