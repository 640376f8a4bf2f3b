/** A recurrent language model of characters. */
import type { Layer } from "../build/index.ts";
import * as nn from "../nn/index.ts";
import { languageHead, SYMBOLS } from "./language-head.ts";
import { defineModel, type ModelDefinition, scaled } from "./model.ts";

/** What embedding and head start with: PyTorch's example of a language model. */
const weight = nn.uniform({ low: -0.1, high: 0.1 });

/**
 * Two LSTMs of 128, char-rnn's default, on vectors of 128 (char-rnn has one-hot symbols). `depth` is the number of LSTMs, `width`
 * 4 the size of the fixed-classifier paper; dropout is before each LSTM and before the head. States start at 0 in each sample.
 */
export const charLstm: ModelDefinition = defineModel({
  name: "char-lstm",
  title: "two LSTMs of 128 over characters",
  source: "arXiv:1506.02078; char-rnn's defaults",
  task: "language",
  sampleShape: [50],
  classes: 65,
  parameters: 280_897,
  options: ["depth", "dropout", "tiedEmbedding"],
  build: (options) => {
    const { classes, width, depth = 2, dropout = 0 } = options;
    const features = scaled(128, width);
    const start = { weight, bias: nn.zeros() };
    const embedding = nn.embedding({ count: classes, features, weight });
    const layers = nn.sequential(
      Array.from({ length: depth }, () => nn.sequential({ dropout: nn.dropout(dropout), lstm: nn.lstm({ features }) })),
    );
    const last = nn.dropout(dropout);
    const head = languageHead("char-lstm", options, (count): Layer => nn.linear(count, start));
    return (x, scope) => {
      const states = layers(embedding(x, scope.child(SYMBOLS)), scope.child("layers"));
      return head(last(states, scope.child("dropout")), scope);
    };
  },
});
