/** A transformer that predicts the next character: a small GPT. */
import type { Layer } from "../build/index.ts";
import { ShapeError } from "../errors.ts";
import * as nn from "../nn/index.ts";
import { languageHead, SYMBOLS } from "./language-head.ts";
import { defineModel, type ModelDefinition } from "./model.ts";

/** What GPT-2's weights start with. */
const DEVIATION = 0.02;

/**
 * nanoGPT's two networks for Tiny Shakespeare: normalization before each part (without biases, as all of it), learned positions,
 * GELU, four times the features inside the perceptrons, head tied to the embedding. Weights that end a residual part start smaller,
 * by 1 / sqrt(2 depth). `depth` is the number of blocks; features times width are rounded to a multiple of the heads.
 */
export const charTransformers: readonly ModelDefinition[] = [
  charTransformer({
    name: "char-transformer",
    size: { blocks: 6, heads: 6, features: 384, positions: 256, dropout: 0.2 },
    parameters: 10_745_088,
  }),
  charTransformer({
    name: "char-transformer-small",
    size: { blocks: 4, heads: 4, features: 128, positions: 64, dropout: 0 },
    parameters: 804_096,
  }),
];

interface Size {
  readonly blocks: number;
  readonly heads: number;
  readonly features: number;
  /** The longest text. */
  readonly positions: number;
  readonly dropout: number;
}

function charTransformer({ name, size, parameters }: { name: string; size: Size; parameters: number }) {
  return defineModel({
    name,
    title: `GPT over characters: ${size.blocks} blocks, ${size.heads} heads, ${size.features} features`,
    source: "Radford et al. 2019; nanoGPT's train_shakespeare_char.py",
    task: "language",
    sampleShape: [size.positions],
    classes: 65,
    parameters,
    options: ["depth", "normalization", "activation", "dropout", "tiedEmbedding"],
    build: (options) => {
      const { classes, width = 1, depth = size.blocks, dropout = size.dropout, head: given } = options;
      const { normalization = () => nn.layerNorm({ bias: false }), activation = nn.gelu } = options;
      const features = size.heads * Math.max(1, Math.round((size.features * width) / size.heads));
      const weight = nn.normal({ standardDeviation: DEVIATION });
      const embedding = nn.embedding({ count: classes, features, weight });
      const position = positions(name, size.positions);
      const block = () => transformerBlock({ heads: size.heads, features, depth, dropout, normalization, activation });
      const body = nn.sequential({
        positions: position,
        dropout: nn.dropout(dropout),
        blocks: nn.sequential(Array.from({ length: depth }, block)),
        norm: normalization(),
      });
      const tied = { ...options, tiedEmbedding: options.tiedEmbedding ?? given === undefined };
      const head = languageHead(name, tied, (count): Layer => nn.linear(count, { weight, bias: false }));
      return (x, scope) => head(body(embedding(x, scope.child(SYMBOLS)), scope), scope);
    },
  });
}

interface Block {
  readonly heads: number;
  readonly features: number;
  readonly depth: number;
  readonly dropout: number;
  readonly normalization: () => Layer;
  readonly activation: () => Layer;
}

/** Attention to what came before, then a perceptron; each adds to its input. */
function transformerBlock({ heads, features, depth, dropout, normalization, activation }: Block): Layer {
  const weight = nn.normal({ standardDeviation: DEVIATION });
  const last = nn.normal({ standardDeviation: DEVIATION / Math.sqrt(2 * depth) });
  const attention = nn.multiHeadAttention({
    heads,
    causal: true,
    dropout,
    bias: false,
    inputWeight: weight,
    outputWeight: last,
  });
  return nn.sequential({
    attention: nn.residual(nn.sequential({ norm: normalization(), attention, dropout: nn.dropout(dropout) })),
    perceptron: nn.residual(
      nn.sequential({
        norm: normalization(),
        linear1: nn.linear(4 * features, { weight, bias: false }),
        activation: activation(),
        linear2: nn.linear(features, { weight: last, bias: false }),
        dropout: nn.dropout(dropout),
      }),
    ),
  });
}

/** Adds a learned vector for each place of x [batch, length, features]; `weight` [longest, features]. */
function positions(name: string, longest: number): Layer {
  return (x, scope) => {
    const { ops } = scope;
    const [length, features] = x.shape!.slice(1);
    if (typeof length !== "number" || length > longest) {
      throw new ShapeError(
        `${name}: texts must have a known length of at most ${longest} symbols, got ${length ?? "an unknown one"}. Cut them.`,
      );
    }
    const start = nn.normal({ standardDeviation: DEVIATION });
    const table = scope.parameter("weight", [longest, Number(features)], start);
    return ops.add(x, ops.slice(table, { axes: [0], starts: [0], ends: [length] }));
  };
}
