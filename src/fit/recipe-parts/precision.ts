/** The part of recipes that says what networks are computed in. */
import * as z from "zod";

const bits = z
  .union([z.literal([2, 3, 4, 5, 6, 7, 8, 16]), z.literal("float")])
  .optional()
  .describe("From 2 to 8, 16, or `float`. Default 8.");

const rounding = z
  .enum(["nearest", "stochastic"])
  .optional()
  .describe("`stochastic`: up with the probability of the fraction. Default nearest; of gradients stochastic.");

/** How the range of a tensor is found. */
const range = <const Modes extends readonly [string, ...string[]]>(modes: Modes) =>
  z
    .enum(modes)
    .optional()
    .describe("What a grid spans, see [eight-bit-training.md](eight-bit-training.md#ranges). Default tensor.");

export const precision = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("float32") }),
  z.strictObject({ kind: z.literal("float64") }),
  z.strictObject({
    kind: z.literal("int8"),
    weights: z
      .strictObject({ bits, range: range(["tensor", "channel"]), rounding })
      .optional()
      .describe("Codes of weights; what learns stays in float."),
    activations: z
      .strictObject({ bits, range: range(["tensor", "sample", "running", "delayed"]), rounding })
      .optional()
      .describe("Codes of what products read."),
    gradients: z
      .strictObject({
        bits,
        range: range(["tensor", "sample", "delayed"]),
        rounding,
        logarithmic: z
          .boolean()
          .optional()
          .describe("Whether codes are powers of two (LUQ), for 5 bits and below. Default false."),
      })
      .optional()
      .describe("Codes of gradients on their way to the layers below."),
    weightGradients: z
      .union([z.literal(["same", "float"]), z.literal([8, 16])])
      .optional()
      .describe(
        "Gradients that weights get theirs from: the `same` codes, or codes of their own. Default: the same from 8 bits on, 16 below.",
      ),
    grid: z
      .enum(["zero", "range"])
      .optional()
      .describe("`zero`: 0 is exact, as integers need; `range`: as published, computed in float. Default zero."),
    normalizations: z
      .enum(["float", "inputs", "all"])
      .optional()
      .describe(
        "Whether batch norms read codes, `inputs`, and their scales and shifts are codes too, `all`. Default float.",
      ),
    results: z
      .enum(["rounded", "float"])
      .optional()
      .describe("What convolutions of 64 channels and more give while training: 8 bits, or float. Default rounded."),
    float: z
      .array(z.enum(["first", "last"]))
      .optional()
      .describe("Layers that stay in float. Default: none."),
  }),
]);
