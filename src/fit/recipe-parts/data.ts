/** The part of recipes that says what is learned from. */
import * as z from "zod";
import { fraction, notNegative, positive, probability, whole } from "./numbers.ts";

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

export const data = z.strictObject({
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
