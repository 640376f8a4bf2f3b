/**
 * A pre-norm transformer encoder that classifies token sequences: token and learned position embeddings; blocks
 * x = x + attention(layerNorm(x)), x = x + mlp(layerNorm(x)) with exact GELU; layer norm; mean over positions; one linear
 * layer. Full attention without a mask, no dropout, epsilon 1e-5.
 */
import { linear, normalization, type TrainingCase } from "./case.ts";

export const TRANSFORMER = { layers: 4, width: 256, heads: 4, hidden: 1024, length: 128, vocabulary: 1000 } as const;

const BATCH = 16;
const CLASSES = 10;
/** As in BERT and GPT-2. */
const DEVIATION = 0.02;

const { layers, width, hidden, length, vocabulary } = TRANSFORMER;

/**
 * Names: `tokens`, `positions`, `blocks.i.norm1`, `.attention.inputProjection` (queries, keys, values),
 * `.attention.outputProjection`, `.norm2`, `.linear1`, `.linear2`, `norm`, `head`.
 */
export const transformer: TrainingCase = {
  name: "transformer",
  description: `Transformer encoder, ${layers} layers, width ${width}, length ${length}, batch ${BATCH}`,
  batch: BATCH,
  input: { kind: "tokens", length, vocabulary },
  classes: CLASSES,
  parameters: [
    { name: "tokens.weight", shape: [vocabulary, width], initial: { deviation: DEVIATION } },
    { name: "positions.weight", shape: [length, width], initial: { deviation: DEVIATION } },
    ...Array.from({ length: layers }, (_, i) => [
      ...normalization(`blocks.${i}.norm1`, width),
      ...linear(`blocks.${i}.attention.inputProjection`, width, 3 * width, DEVIATION),
      ...linear(`blocks.${i}.attention.outputProjection`, width, width, DEVIATION),
      ...normalization(`blocks.${i}.norm2`, width),
      ...linear(`blocks.${i}.linear1`, width, hidden, DEVIATION),
      ...linear(`blocks.${i}.linear2`, hidden, width, DEVIATION),
    ]).flat(),
    ...normalization("norm", width),
    ...linear("head", width, CLASSES, DEVIATION),
  ],
  // Linear layers per token; scores and weighted sums per pair of tokens; the head per sequence.
  forwardMacs:
    BATCH *
    (layers * (length * (4 * width * width + 2 * width * hidden) + 2 * length * length * width) + width * CLASSES),
};
