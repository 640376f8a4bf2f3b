/** The part of recipes that says how the learning rate changes. */
import * as z from "zod";
import { notNegative, positive, probability, whole } from "./numbers.ts";

const factor = positive.default(0.1).describe("What the learning rate is multiplied by each time.");

export const schedule = z.discriminatedUnion("kind", [
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
  z.strictObject({
    kind: z.literal("distance"),
    thresholds: z
      .array(positive)
      .min(1)
      .describe("Distances of the weights from their start at which it falls: no epochs, no steps."),
    factor,
  }),
  z.strictObject({
    kind: z.literal("plateau"),
    patience: whole.describe("Evaluations in a row that are no better than the best, after which it falls."),
    metric: z.enum(["top1", "loss"]).default("top1").describe("What must get better."),
    factor,
  }),
  z.strictObject({ kind: z.literal("polynomial"), power: positive.default(1).describe("1: a straight line to 0.") }),
]);
