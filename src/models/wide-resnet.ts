/** Wide residual networks. */
import type { Layer } from "../build/index.ts";
import { OptionError } from "../errors.ts";
import * as nn from "../nn/index.ts";
import { defineModel, type ModelDefinition, scaled } from "./model.ts";

/** WRN-16-4: 6n + 4 layers, four times the channels of a CIFAR ResNet; normalization and ReLU come before each convolution. */
export const wideResnet: ModelDefinition = defineModel({
  name: "wrn-16-4",
  title: "wide residual network, 16 layers, 4 times as wide",
  source: "arXiv:1605.07146, table 1",
  task: "classification",
  sampleShape: [3, 32, 32],
  classes: 10,
  parameters: 2_748_890,
  options: ["depth", "normalization", "activation", "dropout"],
  build: ({ classes, width, depth = 16, head = linearFromZero, ...rest }) => {
    const count = (depth - 4) / 6;
    if (!Number.isInteger(count) || count < 1) {
      throw new OptionError(`wrn-16-4: depth must be 6 n + 4 (10, 16, 22, 28, ...), got ${depth}.`);
    }
    const style: Style = {
      normalization: rest.normalization ?? nn.batchNorm,
      activation: rest.activation ?? nn.relu,
      dropout: rest.dropout ?? 0,
    };
    const stage = (channels: number, stride: number) =>
      nn.sequential(
        Array.from({ length: count }, (_, index) => block(scaled(channels, width), index === 0 ? stride : 1, style)),
      );
    return nn.sequential({
      conv1: convolution(16, 3, 1),
      layer1: stage(64, 1),
      layer2: stage(128, 2),
      layer3: stage(256, 2),
      bn: style.normalization(),
      relu: style.activation(),
      avgpool: nn.globalAveragePool(),
      fc: head(classes),
    });
  },
});

function linearFromZero(classes: number): Layer {
  return nn.linear(classes, { bias: nn.zeros() });
}

interface Style {
  readonly normalization: () => Layer;
  readonly activation: () => Layer;
  readonly dropout: number;
}

function convolution(channels: number, kernel: number, stride: number): Layer {
  const weight = nn.heNormal({ fan: "out" });
  return nn.conv({ channels, kernel, stride, padding: (kernel - 1) / 2, bias: false, weight });
}

/** Where channels or places change, the shortcut is a 1x1 convolution of what has been normalized. */
function block(channels: number, stride: number, { normalization, activation, dropout }: Style): Layer {
  const before = nn.sequential({ bn1: normalization(), relu1: activation() });
  const body = nn.sequential({
    conv1: convolution(channels, 3, stride),
    bn2: normalization(),
    relu2: activation(),
    dropout: nn.dropout(dropout),
    conv2: convolution(channels, 3, 1),
  });
  const projection = convolution(channels, 1, stride);
  return (x, scope) => {
    const open = before(x, scope);
    const isSame = stride === 1 && x.shape?.[1] === channels;
    return scope.ops.add(body(open, scope), isSame ? x : projection(open, scope.child("shortcut")));
  };
}
