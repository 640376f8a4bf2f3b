/** The multilayer perceptron. */
import type { Layer } from "../build/index.ts";
import * as nn from "../nn/index.ts";
import { defineModel, type ModelDefinition, scaled } from "./model.ts";

/** Two hidden layers of 256: no one's network in particular, and where everyone starts with MNIST. */
export const mlp: ModelDefinition = defineModel({
  name: "mlp",
  title: "multilayer perceptron, two hidden layers of 256",
  source: "a common baseline for MNIST; start: arXiv:1502.01852",
  task: "classification",
  sampleShape: [1, 28, 28],
  classes: 10,
  parameters: 269_322,
  options: ["depth", "normalization", "activation", "dropout"],
  build: ({ classes, width, depth = 2, normalization, activation = nn.relu, dropout = 0, head = nn.linear }) =>
    nn.sequential({
      flatten: nn.flatten(),
      hidden: nn.sequential(
        Array.from({ length: depth }, () =>
          hidden(scaled(256, width), normalization, () => nn.sequential([activation(), nn.dropout(dropout)])),
        ),
      ),
      head: head(classes),
    }),
});

/** A linear layer, a normalization where there is one, and what comes after. He's start: with PyTorch's, depth costs signal. */
export function hidden(features: number, normalization: (() => Layer) | undefined, activation: () => Layer): Layer {
  return nn.sequential({
    linear: nn.linear(features, { weight: nn.heNormal(), bias: nn.zeros() }),
    ...(normalization && { norm: normalization() }),
    activation: activation(),
  });
}
