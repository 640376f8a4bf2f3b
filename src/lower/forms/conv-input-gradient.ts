/** Forms of the gradient of a convolution's input: the transpose of the convolution. */
import type { Ops } from "../../build/index.ts";
import type { Value } from "../../program/index.ts";
import { int64 } from "../../tensor/index.ts";
import { conv } from "../conv.ts";
import type { Lowering } from "../lowering.ts";
import type { Alternatives } from "./form.ts";
import { type AxisPhases, phasesOf } from "./phases.ts";
import { convolutionShape, gradientWindow, inputsOf, offsetsOf, placesOf, samePadding } from "./window.ts";

/**
 * A convolution of dy at stride 1 with the kernels turned round and channels swapped. Strided convolutions reach elements of x in
 * phases, each by some of the taps: all phases are channels of one convolution, put next to each other afterwards.
 */
const convolve: Lowering = (node, ops) => {
  const [dy, w] = [node.input(0), node.input(1)];
  const [examples, inputs, ...lengths] = node.ints("input_shape") as [number, number, ...number[]];
  const [outputs, perGroup, ...kernel] = ops.shapeOf(w) as [number, number, ...number[]];
  const window = gradientWindow(node, kernel.length);
  const isDepthwise = perGroup === 1 && outputs === window.group;
  if (window.group > 1 && !isDepthwise) return undefined;
  const places = ops.shapeOf(dy).slice(2);
  const axes = kernel.map((size, axis) =>
    phasesOf({
      size,
      stride: window.strides[axis]!,
      dilation: window.dilations[axis]!,
      before: window.before[axis]!,
      length: lengths[axis]!,
      places: places[axis]!,
    }),
  );
  if (axes.some((axis) => axis === undefined)) return undefined;
  const known = axes as AxisPhases[];
  const phases = offsetsOf(known.map(({ taps }) => taps.length));
  if (phases.length > 1 && isDepthwise) return undefined;
  const filter = phaseKernels(ops, w, known, phases, isDepthwise);
  const y = ops.conv(dy, filter, undefined, {
    pads: [...known.map(({ begin }) => begin), ...known.map(({ end }) => end)],
    dilations: phases.length > 1 ? undefined : window.dilations,
    group: window.group,
  });
  return [phases.length === 1 ? y : interleave(ops, y, known, [examples, inputs, ...lengths])];
};

/** Kernels [phases * inputs, outputs, ...taps of a phase]; depthwise [channels, 1, ...taps]. */
function phaseKernels(
  ops: Ops,
  w: Value,
  axes: readonly AxisPhases[],
  phases: readonly (readonly number[])[],
  isDepthwise: boolean,
): Value {
  const [outputs, inputs, ...kernel] = ops.shapeOf(w) as [number, number, ...number[]];
  const size = kernel.reduce((a, b) => a * b, 1);
  const swapped = isDepthwise ? w : ops.transpose(w, [1, 0, ...kernel.map((_, axis) => axis + 2)]);
  const [rows, columns] = isDepthwise ? [outputs, 1] : [inputs, outputs];
  const taken = axes.map(({ taps }) => taps[0]!.length);
  const order = phases.map((phase) =>
    offsetsOf(taken).map((offset) => {
      const taps = offset.map((place, axis) => axes[axis]!.taps[phase[axis]!]![place]);
      return taps.some((tap) => tap === undefined)
        ? undefined
        : taps.reduce<number>((index, tap, axis) => index * kernel[axis]! + tap!, 0);
    }),
  );
  const flat = ops.reshape(swapped, [rows, columns, size]);
  const isWhole = order.every((taps) => taps.every((tap) => tap !== undefined));
  const padded = isWhole ? flat : ops.pad(flat, [0, 0, 0, 0, 0, 1]);
  const parts = order.map((taps) =>
    ops.reshape(ops.gather(padded, ops.constant(int64(taps.map((tap) => tap ?? size))), 2), [rows, columns, ...taken]),
  );
  return parts.length === 1 ? parts[0]! : ops.concat(parts, 0);
}

/** [examples, phases of all axes, inputs, ...positions] -> phases next to each other along each axis. */
function interleave(ops: Ops, y: Value, axes: readonly AxisPhases[], shape: readonly number[]): Value {
  const [examples, inputs, ...lengths] = shape as [number, number, ...number[]];
  const rank = axes.length;
  const counts = axes.map(({ taps }) => taps.length);
  const view = ops.reshape(y, [examples, ...counts, inputs, ...axes.map(({ length }) => length)]);
  const moved = ops.transpose(view, [0, rank + 1, ...axes.flatMap((_, axis) => [rank + 2 + axis, 1 + axis])]);
  const whole = axes.map(({ length }, axis) => length * counts[axis]!);
  const joined = ops.reshape(moved, [examples, inputs, ...whole]);
  if (whole.join() === lengths.join()) return joined;
  const cut = { axes: axes.map((_, axis) => axis + 2), starts: axes.map(() => 0), ends: lengths };
  return ops.slice(joined, cut);
}

export const convInputGradient: Alternatives = {
  operator: "modicum:ConvInputGradient",
  forms: { convolve, transpose: conv["modicum:ConvInputGradient"]! },
  shapeOf: (node, ops) => convolutionShape(node, node.ints("input_shape")!, ops.shapeOf(node.input(1))),
  write(ops, shape) {
    const { examples, inputs, outputs, lengths, kernel, group } = shape;
    const { dy, w } = inputsOf(ops, {
      dy: [examples, outputs, ...placesOf(shape)],
      w: [outputs, inputs / group, ...kernel],
    });
    const attributes = { ...samePadding(shape), input_shape: [examples, inputs, ...lengths] };
    ops.writer.graph.outputs.push(ops.emit("ConvInputGradient", [dy, w], attributes, { domain: "modicum" }));
  },
};
