/** MobileNetV2. */
import type { Layer } from "../build/index.ts";
import * as nn from "../nn/index.ts";
import { defineModel, type ModelDefinition } from "./model.ts";

/** Expansion, channels, blocks and stride of each stage: table 2 of the paper. */
const STAGES: readonly (readonly [expansion: number, channels: number, count: number, stride: number])[] = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
];

/**
 * MobileNetV2, with torchvision's names; `mobilenetv2-cifar` has strides of 1 in the stem and the second stage, so that 32 by 32
 * places become 4 by 4. Channels times width are rounded to multiples of 8, and not by more than a tenth; the last 1280 channels
 * do not become fewer. `dropout` is before the head.
 */
export const mobilenets: readonly ModelDefinition[] = [mobilenet(3_504_872, false), mobilenet(2_236_682, true)];

function mobilenet(parameters: number, cifar: boolean): ModelDefinition {
  return defineModel({
    name: cifar ? "mobilenetv2-cifar" : "mobilenetv2",
    title: `MobileNetV2${cifar ? " with strides for CIFAR" : ""}`,
    source: "arXiv:1801.04381, table 2; torchvision",
    task: "classification",
    sampleShape: cifar ? [3, 32, 32] : [3, 224, 224],
    classes: cifar ? 10 : 1000,
    parameters,
    options: ["normalization", "activation", "dropout"],
    build: ({ classes, width = 1, dropout = 0.2, head = smallLinear, ...rest }) => {
      const style = { normalization: rest.normalization ?? nn.batchNorm, activation: rest.activation ?? nn.relu6 };
      const strideOf = (stage: number, published: number) => (cifar && stage === 1 ? 1 : published);
      const blocks = STAGES.flatMap(([expansion, channels, count, stride], stage) =>
        Array.from({ length: count }, (_, index) => {
          const first = index === 0 ? strideOf(stage, stride) : 1;
          return invertedResidual(expansion, multipleOf8(channels * width), first, style);
        }),
      );
      return nn.sequential({
        features: nn.sequential([
          convolution({ channels: multipleOf8(32 * width), kernel: 3, stride: cifar ? 1 : 2 }, style),
          ...blocks,
          convolution({ channels: multipleOf8(1280 * Math.max(1, width)), kernel: 1 }, style),
        ]),
        avgpool: nn.globalAveragePool(),
        classifier: nn.sequential([nn.dropout(dropout), head(classes)]),
      });
    },
  });
}

interface Style {
  readonly normalization: () => Layer;
  readonly activation: () => Layer;
}

interface Convolution {
  readonly channels: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly groups?: number;
}

/** A convolution, normalized, and its nonlinearity. */
function convolution(options: Convolution, { normalization, activation }: Style): Layer {
  return nn.sequential([plainConvolution(options), normalization(), activation()]);
}

function plainConvolution({ kernel, ...rest }: Convolution): Layer {
  return nn.conv({ ...rest, kernel, padding: (kernel - 1) / 2, bias: false, weight: nn.heNormal({ fan: "out" }) });
}

/** Widens with a 1x1 convolution, filters each channel by itself, narrows without a nonlinearity; x is added if it fits. */
function invertedResidual(expansion: number, channels: number, stride: number, style: Style): Layer {
  return (x, scope) => {
    const inputs = Number(x.shape?.[1]);
    const wide = expansion * inputs;
    const conv = nn.sequential([
      ...(expansion === 1 ? [] : [convolution({ channels: wide, kernel: 1 }, style)]),
      convolution({ channels: wide, kernel: 3, stride, groups: wide }, style),
      plainConvolution({ channels, kernel: 1 }),
      style.normalization(),
    ]);
    const y = conv(x, scope.child("conv"));
    return stride === 1 && inputs === channels ? scope.ops.add(x, y) : y;
  };
}

function smallLinear(classes: number): Layer {
  return nn.linear(classes, { weight: nn.normal({ standardDeviation: 0.01 }), bias: nn.zeros() });
}

/** The nearest multiple of 8 that is not below nine tenths. */
function multipleOf8(channels: number): number {
  const nearest = Math.max(8, 8 * Math.floor((channels + 4) / 8));
  return nearest < 0.9 * channels ? nearest + 8 : nearest;
}
