/** Pooling: one number for each window. */
import type { Layer } from "../build/index.ts";
import { OptionError } from "../errors.ts";
import { assertLeastRank, layerLabel } from "./check-input.ts";
import { type Window, type WindowSettings, windowOver } from "./window.ts";

/** How maxima are taken. Stride: as long as the kernel by default, so that windows do not overlap. */
export type MaxPoolSettings = WindowSettings;

/**
 * Takes the largest element of each window; padding never is.
 *
 * Shapes: x [batch, channels, ...spatial] -> y [batch, channels, ...places], places as for `conv`; torch.nn.MaxPool1d to 3d.
 *
 * @throws OptionError if a number is out of range, or padding is more than half the kernel.
 * @throws ShapeError when built, if x has another rank than the kernel asks for, or is smaller than the window.
 * @example
 * const halve = nn.maxPool({ kernel: 2 });
 */
export function maxPool(options: MaxPoolSettings): Layer {
  return (x, scope) => {
    const label = layerLabel("maxPool", scope);
    const { kernel, ...window } = windowOver(x, options, label, "kernel");
    assertHalf({ kernel, ...window }, label);
    return scope.ops.maxPool(x, kernel, window);
  };
}

/** How means are taken. Stride: as long as the kernel by default, so that windows do not overlap. */
export interface AveragePoolSettings extends Omit<WindowSettings, "dilation"> {
  /** Whether padding counts as zeros in the mean. Default true, as in PyTorch; ONNX's own default is false. */
  readonly countPadding?: boolean;
}

/**
 * Takes the mean of each window.
 *
 * Shapes: x [batch, channels, ...spatial] -> y [batch, channels, ...places], places as for `conv`; torch.nn.AvgPool1d to 3d.
 *
 * @throws OptionError if a number is out of range, or padding is more than half the kernel.
 * @throws ShapeError when built, if x has another rank than the kernel asks for, or is smaller than the window.
 * @example
 * const halve = nn.averagePool({ kernel: 2 });
 */
export function averagePool(options: AveragePoolSettings): Layer {
  const { countPadding = true } = options;
  return (x, scope) => {
    const label = layerLabel("averagePool", scope);
    const window = windowOver(x, options, label, "kernel");
    assertHalf(window, label);
    const { kernel, strides, pads } = window;
    return scope.ops.averagePool(x, kernel, { strides, pads, countPadding });
  };
}

/**
 * Takes the mean over all spatial axes, which go: what classifiers of pictures have before their head.
 *
 * Shapes: x [batch, channels, ...spatial] -> y [batch, channels].
 *
 * @throws ShapeError when built, if x has no spatial axes.
 * @example
 * const head = nn.sequential([nn.globalAveragePool(), nn.linear(10)]);
 */
export function globalAveragePool(): Layer {
  return (x, scope) => {
    assertLeastRank(x, 3, "[batch, channels, ...spatial]", layerLabel("globalAveragePool", scope));
    return scope.ops.emit("Flatten", [scope.ops.globalAveragePool(x)], { axis: 1 });
  };
}

/** A window of padding alone would have no largest element and no mean. */
function assertHalf({ kernel, pads }: Window, label: string): void {
  if (pads.every((pad, axis) => pad <= kernel[axis % kernel.length]! / 2)) return;
  throw new OptionError(
    `${label}: padding must be at most half the kernel [${kernel.join(", ")}], got [${pads.join(", ")}].`,
  );
}
