/** Residual networks: those of He et al. for CIFAR and for ImageNet. */
import type { Initializer, Layer, Scope } from "../build/index.ts";
import { OptionError } from "../errors.ts";
import * as nn from "../nn/index.ts";
import type { Value } from "../program/index.ts";
import { defineModel, type FamilyOption, type ModelDefinition, type ModelOptions, scaled } from "./model.ts";

const OPTIONS: readonly FamilyOption[] = ["depth", "normalization", "activation", "shortcut"];

/**
 * The networks for CIFAR, 6n + 2 layers deep: a convolution, three stages of n blocks with 16, 32 and 64 channels, mean, linear
 * layer. Shortcuts are identities by default, as published; the papers of Hoffer et al. have projections (855,770 parameters
 * in ResNet-56).
 */
export const cifarResnets: readonly ModelDefinition[] = [
  cifarResnet(20, 269_722),
  cifarResnet(32, 464_154),
  cifarResnet(44, 658_586),
  cifarResnet(56, 853_018),
];

function cifarResnet(published: number, parameters: number): ModelDefinition {
  const name = `resnet${published}`;
  return defineModel({
    name,
    title: `ResNet-${published} for CIFAR`,
    source: "arXiv:1512.03385, section 4.2",
    task: "classification",
    sampleShape: [3, 32, 32],
    classes: 10,
    parameters,
    options: OPTIONS,
    build: (options) => {
      const { depth = published } = options;
      const count = (depth - 2) / 6;
      if (!Number.isInteger(count) || count < 1) {
        throw new OptionError(`${name}: depth must be 6 n + 2 (8, 14, 20, 26, ...), got ${depth}.`);
      }
      const style = styleOf(options, "identity", nn.heNormal());
      return network(options, style, {
        stem: { kernel: 3, channels: 16, stride: 1 },
        stages: [16, 32, 64].map((channels) => ({ channels, count })),
        bottleneck: false,
      });
    },
  });
}

/** Blocks per stage of the networks for ImageNet, by depth. */
const STAGES: Readonly<Record<number, readonly number[]>> = {
  18: [2, 2, 2, 2],
  34: [3, 4, 6, 3],
  50: [3, 4, 6, 3],
  101: [3, 4, 23, 3],
  152: [3, 8, 36, 3],
};

/**
 * The networks for ImageNet. Bottlenecks have their stride in the 3x3 convolution (as torchvision; in the paper it is in the
 * first 1x1). Paths are torchvision's names. `resnet18-cifar` has a 3x3 stem and no pool, and is otherwise ResNet-18.
 */
export const imagenetResnets: readonly ModelDefinition[] = [
  imagenetResnet(18, { parameters: 11_689_512 }),
  imagenetResnet(50, { parameters: 25_557_032 }),
  imagenetResnet(18, { parameters: 11_173_962, cifar: true }),
];

function imagenetResnet(published: number, { parameters, cifar = false }: { parameters: number; cifar?: boolean }) {
  const name = `resnet${published}${cifar ? "-cifar" : ""}`;
  return defineModel({
    name,
    title: `ResNet-${published}${cifar ? " with a stem for CIFAR" : ""}`,
    source: "arXiv:1512.03385, table 1; torchvision",
    task: "classification",
    sampleShape: cifar ? [3, 32, 32] : [3, 224, 224],
    classes: cifar ? 10 : 1000,
    parameters,
    options: OPTIONS,
    build: (options) => {
      const { depth = published } = options;
      const counts = STAGES[depth];
      if (!counts) {
        throw new OptionError(`${name}: depth must be one of ${Object.keys(STAGES).join(", ")}, got ${depth}.`);
      }
      const style = styleOf(options, "projection", nn.heNormal({ fan: "out" }));
      return network(options, style, {
        stem: cifar ? { kernel: 3, channels: 64, stride: 1 } : { kernel: 7, channels: 64, stride: 2, pool: true },
        stages: counts.map((count, stage) => ({ channels: 64 * 2 ** stage, count })),
        bottleneck: depth >= 50,
      });
    },
  });
}

/** What all blocks of a network have in common. */
interface Style {
  readonly normalization: () => Layer;
  readonly activation: () => Layer;
  readonly shortcut: "identity" | "projection";
  /** What convolutions start with. */
  readonly weight: Initializer;
}

function styleOf(options: ModelOptions, published: Style["shortcut"], weight: Initializer): Style {
  const { normalization = nn.batchNorm, activation = nn.relu, shortcut = published } = options;
  return { normalization, activation, shortcut, weight };
}

/** What residual networks differ in. All stages but the first begin with a stride of 2. */
interface Plan {
  readonly stem: {
    readonly kernel: number;
    readonly channels: number;
    readonly stride: number;
    readonly pool?: boolean;
  };
  readonly stages: readonly { readonly channels: number; readonly count: number }[];
  readonly bottleneck: boolean;
}

function network(options: ModelOptions, style: Style, { stem, stages, bottleneck }: Plan): Layer {
  const { classes, width, head = nn.linear } = options;
  const layers = stages.map(({ channels, count }, stage) => {
    const blocks = Array.from({ length: count }, (_, index) => {
      const stride = stage > 0 && index === 0 ? 2 : 1;
      const make = bottleneck ? bottleneckBlock : basicBlock;
      return make(scaled(channels, width), stride, style);
    });
    return [`layer${stage + 1}`, nn.sequential(blocks)] as const;
  });
  return nn.sequential({
    conv1: convolution(scaled(stem.channels, width), stem.kernel, stem.stride, style),
    bn1: style.normalization(),
    relu: style.activation(),
    ...(stem.pool && { maxpool: nn.maxPool({ kernel: 3, stride: 2, padding: 1 }) }),
    ...Object.fromEntries(layers),
    avgpool: nn.globalAveragePool(),
    fc: head(classes),
  });
}

function convolution(channels: number, kernel: number, stride: number, { weight }: Style): Layer {
  return nn.conv({ channels, kernel, stride, padding: (kernel - 1) / 2, bias: false, weight });
}

/** Two 3x3 convolutions. */
function basicBlock(channels: number, stride: number, style: Style): Layer {
  const body = nn.sequential({
    conv1: convolution(channels, 3, stride, style),
    bn1: style.normalization(),
    relu1: style.activation(),
    conv2: convolution(channels, 3, 1, style),
    bn2: style.normalization(),
  });
  return block(body, channels, stride, style);
}

/** 1x1, 3x3 and 1x1 convolutions; the last makes four times the channels. */
function bottleneckBlock(channels: number, stride: number, style: Style): Layer {
  const body = nn.sequential({
    conv1: convolution(channels, 1, 1, style),
    bn1: style.normalization(),
    relu1: style.activation(),
    conv2: convolution(channels, 3, stride, style),
    bn2: style.normalization(),
    relu2: style.activation(),
    conv3: convolution(4 * channels, 1, 1, style),
    bn3: style.normalization(),
  });
  return block(body, 4 * channels, stride, style);
}

/** activation(body(x) + shortcut(x)). The body's layers are children of the block itself: those are torchvision's names. */
function block(body: Layer, channels: number, stride: number, style: Style): Layer {
  const projection = nn.sequential([convolution(channels, 1, stride, style), style.normalization()]);
  const activation = style.activation();
  return (x, scope) => {
    const skip = (): Value => {
      if (stride === 1 && x.shape?.[1] === channels) return x;
      return style.shortcut === "projection"
        ? projection(x, scope.child("downsample"))
        : thinned(x, channels, stride, scope.child("downsample"));
    };
    return activation(scope.ops.add(body(x, scope), skip()), scope.child("relu"));
  };
}

/** Takes every `stride`-th place, and adds channels of zeros behind (or drops the last, in a network that narrows). */
function thinned(x: Value, channels: number, stride: number, { ops }: Scope): Value {
  const places = stride === 1 ? x : ops.averagePool(x, [1, 1], { strides: [stride, stride] });
  const more = channels - Number(x.shape?.[1]);
  return more === 0 ? places : ops.pad(places, [0, 0, 0, 0, 0, more, 0, 0]);
}
