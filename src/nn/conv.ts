/** Convolution over any number of spatial axes. */
import type { Initializer, Layer } from "../build/index.ts";
import { ShapeError } from "../errors.ts";
import { elementCount, type Tensor } from "../tensor/index.ts";
import { assertCount, knownLength, layerLabel } from "./check-input.ts";
import { inverseRootUniform } from "./fan-initializers.ts";
import { type WindowSettings, windowOver } from "./window.ts";

/** How a convolution is made. Stride: 1 by default. */
export interface ConvSettings extends WindowSettings {
  /** Channels of the result. */
  readonly channels: number;
  /** Parts that the channels fall into, each with kernels of its own; both numbers of channels are multiples. Default 1. */
  readonly groups?: number;
  /** Whether a bias is added, or what it starts with. Default: uniform in +-1 / sqrt(inputs of one output). */
  readonly bias?: boolean | Initializer | Tensor;
  /** What the weight starts with. Default: uniform in +-1 / sqrt(inputs of one output). */
  readonly weight?: Initializer | Tensor;
}

/**
 * Slides kernels over the spatial axes (a cross-correlation, as everywhere in deep learning).
 *
 * Shapes: x [batch, inputs, ...spatial] -> y [batch, channels, ...places], places = floor((length + pads - dilation (kernel -
 * 1) - 1) / stride) + 1; `weight` [channels, inputs / groups, ...kernel], `bias` [channels]: layout, names and start of
 * torch.nn.Conv1d to Conv3d.
 *
 * @throws OptionError if a number is out of range.
 * @throws ShapeError when built, if x has another rank than the kernel asks for, is smaller than the window, or has channels
 * that `groups` does not divide.
 * @example
 * const picture = nn.conv({ channels: 64, kernel: 3, stride: 2, padding: 1, bias: false });
 * const sequence = nn.conv({ channels: 64, kernel: [5], padding: "same" });
 * const depthwise = nn.conv({ channels: 64, kernel: 3, padding: "same", groups: 64 });
 */
export function conv(options: ConvSettings): Layer {
  const { channels, groups = 1, bias = true } = options;
  assertCount(channels, "channels", "conv");
  assertCount(groups, "groups", "conv");
  return (x, scope) => {
    const label = layerLabel("conv", scope);
    const { kernel, ...window } = windowOver(x, options, label, "one");
    const inputs = knownLength(x, 1, "channels", label);
    assertGroups(inputs, channels, groups, label);
    const shape = [channels, inputs / groups, ...kernel];
    const start = inverseRootUniform(elementCount(shape.slice(1)));
    const w = scope.parameter("weight", shape, options.weight ?? start);
    const b = bias === false ? undefined : scope.parameter("bias", [channels], bias === true ? start : bias);
    return scope.ops.conv(x, w, b, { ...window, group: groups });
  };
}

/** @throws ShapeError unless `groups` divides the numbers of channels before and after. */
export function assertGroups(inputs: number, channels: number, groups: number, label: string): void {
  if (inputs % groups === 0 && channels % groups === 0) return;
  throw new ShapeError(
    `${label}: channels of input and result must be multiples of groups (${groups}), got ${inputs} and ${channels}.`,
  );
}
