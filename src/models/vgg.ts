/** VGG networks at CIFAR size. */
import { OptionError } from "../errors.ts";
import * as nn from "../nn/index.ts";
import { defineModel, type ModelDefinition, scaled } from "./model.ts";

/** Channels of the convolutions, stage by stage; a pool after each stage. */
const STAGES: Readonly<Record<number, readonly (readonly number[])[]>> = {
  11: [[64], [128], [256, 256], [512, 512], [512, 512]],
  13: [
    [64, 64],
    [128, 128],
    [256, 256],
    [512, 512],
    [512, 512],
  ],
  16: [
    [64, 64],
    [128, 128],
    [256, 256, 256],
    [512, 512, 512],
    [512, 512, 512],
  ],
  19: [
    [64, 64],
    [128, 128],
    [256, 256, 256, 256],
    [512, 512, 512, 512],
    [512, 512, 512, 512],
  ],
};

/**
 * The usual variants for CIFAR: the published convolutions (with biases), then one linear layer from 512 features in place of
 * three, plain or with batch normalization. Larger pictures are averaged before it. Paths are torchvision's up to the head.
 */
export const vggs: readonly ModelDefinition[] = [
  vgg(11, false, 9_225_610),
  vgg(11, true, 9_231_114),
  vgg(16, false, 14_719_818),
  vgg(16, true, 14_728_266),
];

function vgg(published: number, isNormalized: boolean, parameters: number): ModelDefinition {
  const name = `vgg${published}${isNormalized ? "-bn" : ""}`;
  return defineModel({
    name,
    title: `VGG-${published}${isNormalized ? " with batch normalization" : ""} at CIFAR size`,
    source: "arXiv:1409.1556, table 1; one linear layer",
    task: "classification",
    sampleShape: [3, 32, 32],
    classes: 10,
    parameters,
    options: ["depth", "normalization", "activation", "dropout"],
    build: (options) => {
      const { classes, width, depth = published, activation = nn.relu, dropout = 0, head = nn.linear } = options;
      const stages = STAGES[depth];
      if (!stages) {
        throw new OptionError(`${name}: depth must be one of ${Object.keys(STAGES).join(", ")}, got ${depth}.`);
      }
      const normalization = options.normalization ?? (isNormalized ? nn.batchNorm : undefined);
      const convolution = (count: number) => {
        const channels = scaled(count, width);
        const conv = nn.conv({ channels, kernel: 3, padding: 1, weight: nn.heNormal(), bias: nn.zeros() });
        return [conv, ...(normalization ? [normalization()] : []), activation()];
      };
      return nn.sequential({
        features: nn.sequential(stages.flatMap((stage) => [...stage.flatMap(convolution), nn.maxPool({ kernel: 2 })])),
        avgpool: nn.globalAveragePool(),
        dropout: nn.dropout(dropout),
        classifier: head(classes),
      });
    },
  });
}
