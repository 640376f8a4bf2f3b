/** The part of recipes that says what makes steps of gradients. */
import * as z from "zod";
import { fraction, notNegative, positive } from "./numbers.ts";

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
  projection: z
    .strictObject({
      match: z.string().min(1).describe("Regular expression that weights' paths match, such as `body.*weight$`."),
      norm: positive.default(1).describe("Euclidean norm that each output channel has after each step."),
    })
    .optional()
    .describe("Weights whose channels are put back to a length after each step. Default: none."),
};

export const optimizer = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("sgd"),
    momentum: fraction
      .default(0.9)
      .describe("Share of the last step's velocity that is kept; of rmsprop's last step, and 0 there by default."),
    nesterov: z.boolean().default(false).describe("Whether to step along the velocity of the next step."),
    decoupled: z.boolean().default(false).describe("Whether weights decay beside the gradient."),
    resetMomentumEachEpoch: z
      .boolean()
      .default(false)
      .describe("Whether each epoch begins without velocity, as in the published code of arXiv:1705.08741."),
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
