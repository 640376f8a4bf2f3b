/** The part of recipes that says which network is trained. */
import * as z from "zod";
import { fraction, positive, seed, whole } from "./numbers.ts";

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

/** What fixed heads and cosine heads have in common. */
const fixedHead = {
  scale: positive.optional().describe("What cosines, or sums with signs, are multiplied by. Default: learned."),
  bias: z.boolean().default(true).describe("Whether each class has a bias."),
};

const codeSeed = seed.default(123).describe("Seed of the directions of classes.");

/** The last layer, from features to classes. */
const head = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("linear") }),
    z.strictObject({
      kind: z.literal("hadamard"),
      row0: z
        .enum(["skip", "keep"])
        .default("skip")
        .describe("Whether the row of ones is a class's: behind a ReLU that class has the largest score of all."),
      wide: z
        .enum(["biorthogonal", "random-columns", "truncate"])
        .default("biorthogonal")
        .describe("More classes than features: rows with both signs, a larger matrix, or repeated rows."),
      minus: z.boolean().default(false).describe("Whether scores have the other sign, as in the published code."),
      ...fixedHead,
    }),
    ...(["orthogonal", "simplex", "spread"] as const).map((kind) =>
      z.strictObject({ kind: z.literal(kind), seed: codeSeed, ...fixedHead }),
    ),
    z.strictObject({ kind: z.literal("cosine"), ...fixedHead }),
  ])
  .optional()
  .describe("The last layer, from features to classes. Default: the model's own.");

/** What becomes of weights before they are used. */
const weightNormalization = z
  .strictObject({
    kind: z
      .enum(["wn", "bwn", "bwn-g"])
      .describe(
        "Weight normalization with learned lengths; bounded, with one fixed length for all channels of a layer; bounded, with learned gains that share a fixed total.",
      ),
    p: z
      .literal([1, 2, "inf"])
      .default(2)
      .describe("Norm that channels are divided by: of absolute values, Euclidean, or the largest."),
    match: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Regular expression that paths match. Default: all weights but those of embeddings and the last layer.",
      ),
  })
  .optional()
  .describe("Weights as direction and length. Default: as they are.");

/** A network of the zoo, or somebody's ONNX file with a new head. */
export const model = z.union([
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
    weightNormalization,
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
    weightNormalization,
    head,
  }),
]);
