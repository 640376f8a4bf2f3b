/** The networks on which the loss of accuracy in large batches was shown: F1, C1 and C3. */
import * as nn from "../nn/index.ts";
import { hidden } from "./mlp.ts";
import { defineModel, type ModelDefinition, scaled } from "./model.ts";

/** F1 of Keskar et al.: five hidden layers of 512, each normalized. */
export const f1: ModelDefinition = defineModel({
  name: "f1",
  title: "F1: five normalized hidden layers of 512",
  source: "arXiv:1609.04836, appendix B.1; mnist_f1.py of arXiv:1705.08741",
  task: "classification",
  sampleShape: [1, 28, 28],
  classes: 10,
  parameters: 1_462_794,
  options: ["depth", "normalization", "activation"],
  build: ({ classes, width, depth = 5, normalization, activation = nn.relu, head = nn.linear }) =>
    nn.sequential({
      flatten: nn.flatten(),
      hidden: nn.sequential(
        Array.from({ length: depth }, () => hidden(scaled(512, width), normalization ?? nn.batchNorm, activation)),
      ),
      head: head(classes),
    }),
});

/**
 * C1 and C3 of Keskar et al., as arXiv:1705.08741 trained them: strides of the convolutions are 1 (the paper's [64, 5, 5, 2] can
 * be read as 2), pools overlap, and what is normalized has no bias.
 */
export const shallowConvnets: readonly ModelDefinition[] = [
  shallowConvnet("c1", "CIFAR-10", 10, 1_388_490),
  shallowConvnet("c3", "CIFAR-100", 100, 1_405_860),
];

function shallowConvnet(name: string, data: string, classes: number, parameters: number): ModelDefinition {
  return defineModel({
    name,
    title: `${name.toUpperCase()}: two convolutions, two linear layers, for ${data}`,
    source: "arXiv:1609.04836, appendix B.3; cifar_shallow.py of arXiv:1705.08741",
    task: "classification",
    sampleShape: [3, 32, 32],
    classes,
    parameters,
    options: ["normalization", "activation", "dropout"],
    build: (options) => {
      const { width, normalization = nn.batchNorm, activation = nn.relu, dropout = 0.5, head = nn.linear } = options;
      const convolution = () =>
        nn.sequential({
          conv: nn.conv({ channels: scaled(64, width), kernel: 5, padding: 2, bias: false, weight: nn.heNormal() }),
          pool: nn.maxPool({ kernel: 3, stride: 2 }),
          norm: normalization(),
          activation: activation(),
        });
      const dense = (features: number) =>
        nn.sequential({
          linear: nn.linear(scaled(features, width), { bias: false, weight: nn.heNormal() }),
          norm: normalization(),
          activation: activation(),
          dropout: nn.dropout(dropout),
        });
      return nn.sequential({
        features: nn.sequential([convolution(), convolution()]),
        flatten: nn.flatten(),
        hidden: nn.sequential([dense(384), dense(192)]),
        head: head(options.classes),
      });
    },
  });
}
