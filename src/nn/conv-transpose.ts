/** Transposed convolution: the gradient of a convolution as a layer, which makes maps larger. */
import type { Initializer, Layer } from "../build/index.ts";
import { OptionError } from "../errors.ts";
import { elementCount, type Tensor } from "../tensor/index.ts";
import { assertCount, assertRank, knownLength, layerLabel } from "./check-input.ts";
import { assertGroups } from "./conv.ts";
import { inverseRootUniform } from "./fan-initializers.ts";
import { kernelLengths, type PerAxis, perAxis, windowAxes } from "./window.ts";

/** How a transposed convolution is made. */
export interface ConvTransposeSettings {
  /** Channels of the result. */
  readonly channels: number;
  /** Length along each spatial axis; one number stands for two axes. */
  readonly kernel: PerAxis;
  /** Distance between the places where kernels are put down. Default 1. */
  readonly stride?: PerAxis;
  /** What is cut off at both ends of each spatial axis. Default 0. */
  readonly padding?: PerAxis;
  /** What is added at the end of each spatial axis: less than the stride or the dilation. Default 0. */
  readonly outputPadding?: PerAxis;
  /** Distance between elements of a kernel. Default 1. */
  readonly dilation?: PerAxis;
  /** Parts that the channels fall into. Default 1. */
  readonly groups?: number;
  /** Whether a bias is added, or what it starts with. Default: uniform in +-1 / sqrt(channels / groups * kernel). */
  readonly bias?: boolean | Initializer | Tensor;
  /** What the weight starts with. Default: as the bias. */
  readonly weight?: Initializer | Tensor;
}

/**
 * Puts down a kernel, weighted by the input, at every place, and adds them up.
 *
 * Shapes: x [batch, inputs, ...spatial] -> y [batch, channels, ...lengths], lengths = (spatial - 1) stride - 2 padding +
 * dilation (kernel - 1) + outputPadding + 1; `weight` [inputs, channels / groups, ...kernel], `bias` [channels]: layout, names
 * and start of torch.nn.ConvTranspose1d to 3d.
 *
 * @throws OptionError if a number is out of range.
 * @throws ShapeError when built, if x has another rank than the kernel asks for, or channels that `groups` does not divide.
 * @example
 * const twiceAsLarge = nn.convTranspose({ channels: 32, kernel: 4, stride: 2, padding: 1 });
 */
export function convTranspose(options: ConvTransposeSettings): Layer {
  const { channels, groups = 1, bias = true } = options;
  assertCount(channels, "channels", "convTranspose");
  assertCount(groups, "groups", "convTranspose");
  const window = transposedWindow(options);
  const { kernel } = window;
  return (x, scope) => {
    const label = layerLabel("convTranspose", scope);
    assertRank(x, windowAxes(kernel.length), label);
    const inputs = knownLength(x, 1, "channels", label);
    assertGroups(inputs, channels, groups, label);
    const shape = [inputs, channels / groups, ...kernel];
    const start = inverseRootUniform(elementCount(shape.slice(1)));
    const w = scope.parameter("weight", shape, options.weight ?? start);
    const b = bias === false ? [] : [scope.parameter("bias", [channels], bias === true ? start : bias)];
    const { strides, pads, dilations, output_padding } = window;
    return scope.ops.emit("ConvTranspose", [x, w, ...b], { strides, pads, dilations, output_padding, group: groups });
  };
}

function transposedWindow(options: ConvTransposeSettings) {
  const kernel = [...kernelLengths(options.kernel, "convTranspose")];
  const along = (option: string, value: PerAxis = 0, least = 0) => [
    ...perAxis(value, { option, least, kernel, label: "convTranspose" }),
  ];
  const strides = along("stride", options.stride ?? 1, 1);
  const dilations = along("dilation", options.dilation ?? 1, 1);
  const padding = along("padding", options.padding);
  const output_padding = along("outputPadding", options.outputPadding);
  if (output_padding.some((extra, axis) => extra >= Math.max(strides[axis]!, dilations[axis]!))) {
    throw new OptionError(
      `convTranspose: outputPadding must be less than the stride or the dilation, got [${output_padding.join(", ")}].`,
    );
  }
  return { kernel, strides, dilations, pads: [...padding, ...padding], output_padding };
}
