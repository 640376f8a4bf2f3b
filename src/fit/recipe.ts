/** Recipes: everything that decides how a network is trained, as one validated object that is JSON. */
import * as z from "zod";
import { data } from "./recipe-parts/data.ts";
import { model } from "./recipe-parts/model.ts";
import { fraction, notNegative, positive, seed, whole } from "./recipe-parts/numbers.ts";
import { optimizer } from "./recipe-parts/optimizer.ts";
import { precision } from "./recipe-parts/precision.ts";
import { schedule } from "./recipe-parts/schedule.ts";

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
        reference: whole
          .optional()
          .describe(
            "Batch size that learning rate, schedule and epochs are meant for. Default: that of the batch itself.",
          ),
        scaling: z
          .enum(["sqrt", "linear", "none"])
          .optional()
          .describe(
            "How learning rates grow from `batch.reference` to `batch.size`: with the root of that ratio, with the ratio, or not. Default: sqrt.",
          ),
        adaptRegime: z
          .boolean()
          .optional()
          .describe(
            "Whether all lengths in epochs are multiplied by the same ratio, so that there are as many updates. Default: false.",
          ),
      })
      .prefault({})
      .describe("How many samples a step has."),
    gradientNoise: z
      .strictObject({
        variance: notNegative
          .optional()
          .describe("Of the factors. Default: `batch.size` / `batch.reference` - 1, the noise of the smaller batch."),
      })
      .optional()
      .describe("Multiplies each sample's loss by a random factor of mean 1. Default: none."),
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
    precision: precision
      .prefault({ kind: "float32" })
      .describe(
        "What the network is computed in. float64: on the CPU only. int8: products of codes, see [eight-bit-training.md](eight-bit-training.md).",
      ),
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
    seed: seed.default(0).describe("Seed of initial parameters, order of samples, augmentation and dropout."),
  })
  .superRefine((recipe, context) => {
    const refuse = (path: PropertyKey[], message: string): void => context.addIssue({ code: "custom", path, message });
    const { batch, epochs, warmup, schedule, optimizer } = recipe;
    if (batch.size % batch.chunks !== 0) {
      refuse(["batch", "chunks"], `must divide batch.size, ${batch.size}, got ${batch.chunks}`);
    }
    if (batch.reference === undefined) {
      for (const key of ["scaling", "adaptRegime"] as const) {
        if (batch[key] === undefined) continue;
        refuse(["batch", key], `must be left out without batch.reference, got ${JSON.stringify(batch[key])}`);
      }
    }
    if (recipe.gradientNoise && recipe.gradientNoise.variance === undefined && !(batch.size > batch.reference!)) {
      refuse(["gradientNoise", "variance"], "must be given unless batch.size is above batch.reference, got nothing");
    }
    if (warmup > 0 && warmup >= epochs) refuse(["warmup"], `must be less than epochs, ${epochs}, got ${warmup}`);
    if (optimizer.kind === "sgd" && optimizer.nesterov && optimizer.momentum === 0) {
      refuse(["optimizer", "nesterov"], "must be false without momentum, got true");
    }
    if (schedule.kind === "multi-step" && schedule.milestones.some((one, i, all) => i > 0 && one <= all[i - 1]!)) {
      refuse(["schedule", "milestones"], `must increase, got ${JSON.stringify(schedule.milestones)}`);
    }
    if (schedule.kind === "distance" && schedule.thresholds.some((one, i, all) => i > 0 && one <= all[i - 1]!)) {
      refuse(["schedule", "thresholds"], `must increase, got ${JSON.stringify(schedule.thresholds)}`);
    }
    optimizer.groups.forEach(({ match }, index) => {
      if (!isRegularExpression(match)) {
        refuse(["optimizer", "groups", index, "match"], `must be a regular expression, got ${JSON.stringify(match)}`);
      }
    });
    for (const path of [
      ["model", "weightNormalization"],
      ["optimizer", "projection"],
    ] as const) {
      const pattern = path[0] === "model" ? recipe.model.weightNormalization?.match : optimizer.projection?.match;
      if (pattern === undefined || isRegularExpression(pattern)) continue;
      refuse([...path, "match"], `must be a regular expression, got ${JSON.stringify(pattern)}`);
    }
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
