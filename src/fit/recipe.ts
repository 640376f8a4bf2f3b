/** Recipes: everything that decides how a network is trained, as one validated object that is JSON. */
import * as z from "zod";

const positive = z.number().positive();
const notNegative = z.number().min(0);
const fraction = z.number().min(0).lt(1);
const whole = z.int().min(1);
const probability = z.number().min(0).max(1);
const epsilon = positive.optional().describe("Added to the variance. Default 1e-5.");

/** How batch normalizations are made. */
const batchNorm = {
  deviation: z
    .string()
    .regex(/^(l2|l1|l-infinity|range|none|l\d+(\.\d+)?|top-\d+|range-\d+)$/)
    .optional()
    .describe(
      "What is divided by, see [normalization.md](normalization.md): `l2`, `l1` or another `l<p>`, `l-infinity`, `top-<k>`, `range`, `range-<chunks>`, `none`. Default l2.",
    ),
  constant: z
    .union([z.enum(["exact", "reference", "paper"]), positive])
    .optional()
    .describe("What the deviation is multiplied by: `exact`, `reference`, `paper` or a number. Default exact."),
  ghost: whole.optional().describe("Examples in a ghost batch, normalized by itself. Default: the whole batch."),
  running: z
    .enum(["variance", "deviation", "inverse"])
    .optional()
    .describe("What is kept of the deviation for use. Default variance."),
  momentum: fraction.optional().describe("Share of the new batch in the running statistics. Default 0.1."),
  epsilon,
};

/** What normalizes activations inside the network. */
const normalization = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("batch"),
    ...batchNorm,
  }),
  z.strictObject({
    kind: z.literal("group"),
    groups: whole.describe("Parts that the channels fall into."),
    epsilon,
  }),
  z.strictObject({ kind: z.literal("instance"), epsilon }),
  z.strictObject({ kind: z.literal("none") }),
]);

/** The last layer, from features to classes. */
const head = z
  .discriminatedUnion("kind", [z.strictObject({ kind: z.literal("linear") })])
  .optional()
  .describe("The last layer, from features to classes. Default: the model's own.");

/** A network of the zoo, or somebody's ONNX file with a new head. */
const model = z.union([
  z.strictObject({
    name: z.string().min(1).describe("A network by its name, see [models.md](models.md)."),
    width: positive.optional().describe("Multiplies channels and hidden sizes. Default 1."),
    depth: whole.optional().describe("Layers, as the network's family counts them. Default: as published."),
    dropout: fraction.optional().describe("Probability of dropping an element. Default: as published."),
    normalization: normalization.optional().describe("What normalizes activations. Default: as published."),
    shortcut: z
      .enum(["identity", "projection"])
      .optional()
      .describe("How residual networks go on where channels change. Default: as published."),
    tiedEmbedding: z
      .boolean()
      .optional()
      .describe("Whether a language model's head is its embedding. Default: as published."),
    head,
  }),
  z.strictObject({
    onnx: z.string().min(1).describe("Path of a model whose last layer is replaced, in place of a name."),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional()
      .describe("Checksum of the file: written when a run starts, checked when it goes on."),
    features: z
      .string()
      .min(1)
      .optional()
      .describe("Value that the new head reads. Default: what the last linear layer or convolution reads."),
    train: z.enum(["all", "head"]).default("all").describe("Whether all weights learn, or the new head alone."),
    normalization: z
      .strictObject({ kind: z.literal("batch"), ...batchNorm })
      .optional()
      .describe("What the file's batch normalizations become. Default: they keep the file's statistics."),
    head,
  }),
]);

const augmentation = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("crop"),
    padding: whole.default(4).describe("Largest shift in each direction, in pixels."),
  }),
  z.strictObject({ kind: z.literal("flip") }),
  z.strictObject({
    kind: z.literal("colour"),
    brightness: fraction.default(0).describe("Largest change: 0.4 draws a factor from 0.6 to 1.4."),
    contrast: fraction.default(0).describe("The same for the contrast."),
    saturation: fraction.default(0).describe("The same for the saturation."),
  }),
  z.strictObject({ kind: z.literal("cutout"), size: whole.describe("Side of the square in pixels.") }),
  z.strictObject({
    kind: z.literal("mixup"),
    alpha: positive.describe("Shares of two samples are drawn from Beta(alpha, alpha)."),
  }),
]);

const data = z.strictObject({
  set: z.string().min(1).describe("Data set and where it is, such as `cifar10:data/cifar-10-batches-bin`."),
  validation: notNegative
    .default(0)
    .describe("Samples taken from the training part to choose the best epoch: a share below 1, or a count. 0: none."),
  limit: whole.optional().describe("Training samples used, the same share of each class. Default: all."),
  testLimit: whole.optional().describe("Test samples used, the same share of each class. Default: all."),
  labelNoise: probability.default(0).describe("Share of training labels that are replaced by another class."),
  length: whole.optional().describe("Tokens in a sample of text. Default: the network's."),
  size: whole.optional().describe("Side that pictures of a folder get. Default: the network's."),
  skipUnreadable: z
    .boolean()
    .default(false)
    .describe("Whether unreadable pictures are left out, and counted, instead of ending the run."),
  normalization: z
    .strictObject({
      scale: positive.default(1 / 255).describe("Factor for the bytes of pictures."),
      mean: z.array(z.number()).min(1).describe("Subtracted after that: one number for each channel."),
      std: z.array(positive).min(1).describe("Divided by after that: one number for each channel."),
    })
    .optional()
    .describe("How samples become what the network sees. Default: mean 0 and deviation 1 over the data set."),
  augment: z.array(augmentation).default([]).describe("What is done to training pictures at random, in this order."),
});

const groups = z
  .array(
    z.strictObject({
      match: z.string().min(1).describe("Regular expression that parameters' paths match, such as `\\.bias$`."),
      learningRateFactor: notNegative.optional().describe("What the learning rate is multiplied by. Default 1."),
      weightDecay: notNegative.optional().describe("Default: the optimizer's."),
      frozen: z.boolean().optional().describe("Whether these parameters stay as they are. Default false."),
    }),
  )
  .default([])
  .describe("Settings of some parameters; the first group that matches a path counts.");

const optimizerCommon = {
  weightDecay: notNegative.default(0).describe("Weight decay, for parameters without a group of their own."),
  groups,
};

const optimizer = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("sgd"),
    momentum: fraction
      .default(0.9)
      .describe("Share of the last step's velocity that is kept; of rmsprop's last step, and 0 there by default."),
    nesterov: z.boolean().default(false).describe("Whether to step along the velocity of the next step."),
    decoupled: z.boolean().default(false).describe("Whether weights decay beside the gradient."),
    ...optimizerCommon,
  }),
  ...(["adam", "adamw"] as const).map((kind) =>
    z.strictObject({
      kind: z.literal(kind),
      beta1: fraction.default(0.9).describe("Share of the first moment that is kept."),
      beta2: fraction.default(0.999).describe("Share of the second moment that is kept."),
      epsilon: positive
        .default(1e-8)
        .describe("Added to the root of the second moment or of squares; 1e-10 by default for adagrad."),
      ...optimizerCommon,
    }),
  ),
  z.strictObject({
    kind: z.literal("rmsprop"),
    decay: fraction.default(0.99).describe("Share of the squares' average that is kept."),
    epsilon: positive.default(1e-8).describe("Added to the root of that average."),
    momentum: fraction.default(0).describe("Share of the last step that is kept."),
    ...optimizerCommon,
  }),
  z.strictObject({
    kind: z.literal("adagrad"),
    epsilon: positive.default(1e-10).describe("Added to the root of the sum of squares."),
    ...optimizerCommon,
  }),
]);

const factor = positive.default(0.1).describe("What the learning rate is multiplied by each time.");

const schedule = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("constant") }),
  z.strictObject({ kind: z.literal("step"), every: positive.describe("Epochs between falls."), factor }),
  z.strictObject({
    kind: z.literal("multi-step"),
    milestones: z.array(positive).min(1).describe("Epochs, counted from the run's beginning, at which it falls."),
    factor,
  }),
  z.strictObject({ kind: z.literal("cosine"), minimum: notNegative.default(0).describe("The last learning rate.") }),
  z.strictObject({
    kind: z.literal("one-cycle"),
    riseFraction: probability.default(0.3).describe("Share of the run in which it rises."),
  }),
  z.strictObject({ kind: z.literal("polynomial"), power: positive.default(1).describe("1: a straight line to 0.") }),
]);

/** The schema of recipes. Unknown keys are errors. */
export const recipeSchema = z
  .strictObject({
    version: z.literal(1).default(1).describe("Version of the format."),
    model: model.describe("The network."),
    data: data.describe("What it learns from."),
    epochs: positive.describe("Passes over the training data; may be a fraction."),
    batch: z
      .strictObject({
        size: whole.default(128).describe("Samples in a step."),
        chunks: whole
          .default(1)
          .describe(
            "Equal parts computed one after the other, each with batch statistics of its own (ghost batches): less memory.",
          ),
      })
      .prefault({})
      .describe("How many samples a step has."),
    optimizer: optimizer.prefault({ kind: "sgd" }).describe("What makes steps of gradients."),
    learningRate: positive.default(0.1).describe("The learning rate; with a schedule its largest."),
    schedule: schedule
      .prefault({ kind: "cosine" })
      .describe("How the learning rate changes. Lengths are in epochs and may be fractions."),
    warmup: notNegative.default(0).describe("Epochs in which the learning rate rises from 0, before the schedule."),
    loss: z
      .strictObject({
        kind: z.literal("cross-entropy").default("cross-entropy").describe("Which one."),
        labelSmoothing: fraction.default(0).describe("Share of the target that is spread over all classes."),
      })
      .prefault({})
      .describe("What is minimized."),
    clip: z
      .strictObject({
        norm: positive.optional().describe("Gradients are scaled down to this common norm. Default: not."),
        value: positive.optional().describe("Elements of gradients are cut to this size. Default: not."),
      })
      .optional()
      .describe("Limits of gradients. Default: none."),
    precision: z
      .discriminatedUnion("kind", [
        z.strictObject({ kind: z.literal("float32") }),
        z.strictObject({ kind: z.literal("float64") }),
      ])
      .prefault({ kind: "float32" })
      .describe("Element type of parameters and arithmetic. float64: on the CPU only."),
    averaging: z
      .strictObject({ decay: fraction.describe("average = decay average + (1 - decay) weights, after each step.") })
      .optional()
      .describe("Exponential moving average of the weights, which is measured too. Default: none."),
    evaluation: z
      .strictObject({
        every: positive.default(1).describe("Epochs between evaluations; one more follows the last step."),
        batch: whole.default(256).describe("Samples evaluated at once."),
        trainSamples: z
          .int()
          .min(0)
          .default(0)
          .describe("Training samples, as they are without augmentation, that are measured as well."),
        norms: z
          .boolean()
          .default(false)
          .describe("Whether steps report the norms of gradient, weights and changes too."),
      })
      .prefault({})
      .describe("When and how the network is measured."),
    earlyStopping: z
      .strictObject({
        patience: whole.describe("Evaluations in a row that are no better than the best, after which the run ends."),
        metric: z.enum(["top1", "loss"]).default("top1").describe("What must get better."),
      })
      .optional()
      .describe("When to end before the last epoch. Default: never."),
    seed: z
      .int()
      .min(0)
      .max(2 ** 32 - 1)
      .default(0)
      .describe("Seed of initial parameters, order of samples, augmentation and dropout."),
  })
  .superRefine((recipe, context) => {
    const refuse = (path: PropertyKey[], message: string): void => context.addIssue({ code: "custom", path, message });
    const { batch, epochs, warmup, schedule, optimizer } = recipe;
    if (batch.size % batch.chunks !== 0) {
      refuse(["batch", "chunks"], `must divide batch.size, ${batch.size}, got ${batch.chunks}`);
    }
    if (warmup > 0 && warmup >= epochs) refuse(["warmup"], `must be less than epochs, ${epochs}, got ${warmup}`);
    if (optimizer.kind === "sgd" && optimizer.nesterov && optimizer.momentum === 0) {
      refuse(["optimizer", "nesterov"], "must be false without momentum, got true");
    }
    if (schedule.kind === "multi-step" && schedule.milestones.some((one, i, all) => i > 0 && one <= all[i - 1]!)) {
      refuse(["schedule", "milestones"], `must increase, got ${JSON.stringify(schedule.milestones)}`);
    }
    optimizer.groups.forEach(({ match }, index) => {
      if (!isRegularExpression(match)) {
        refuse(["optimizer", "groups", index, "match"], `must be a regular expression, got ${JSON.stringify(match)}`);
      }
    });
    const { validation } = recipe.data;
    if (validation >= 1 && !Number.isInteger(validation)) {
      refuse(["data", "validation"], `must be a share below 1 or a whole number, got ${validation}`);
    }
  });

function isRegularExpression(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}

/** A complete recipe: every default filled in. */
export type Recipe = z.output<typeof recipeSchema>;

/** A recipe as it is written: what is left out has its default. */
export type RecipeInput = z.input<typeof recipeSchema>;
