/** A convnet that trains in seconds. */
import * as nn from "../nn/index.ts";
import { defineModel, type ModelDefinition, scaled } from "./model.ts";

/** Three stages of 16, 32 and 64 channels, for pictures of 28 by 28 or 32 by 32. */
export const smallConvnet: ModelDefinition = defineModel({
  name: "small-convnet",
  title: "five normalized convolutions of 16 to 64 channels",
  source: "Modicum: a stage each of a CIFAR ResNet, without residuals",
  task: "classification",
  sampleShape: [1, 28, 28],
  classes: 10,
  parameters: 70_330,
  options: ["normalization", "activation"],
  build: ({ classes, width, normalization = nn.batchNorm, activation = nn.relu, head = nn.linear }) => {
    const convolution = (count: number, stride = 1) => {
      const channels = scaled(count, width);
      return nn.sequential([
        nn.conv({ channels, kernel: 3, stride, padding: 1, bias: false, weight: nn.heNormal() }),
        normalization(),
        activation(),
      ]);
    };
    return nn.sequential({
      stem: convolution(16),
      down1: convolution(32, 2),
      body1: convolution(32),
      down2: convolution(64, 2),
      body2: convolution(64),
      pool: nn.globalAveragePool(),
      head: head(classes),
    });
  },
});
