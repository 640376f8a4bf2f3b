/** Windows of gradients of convolutions, over any number of axes. */
import type { Ops } from "../../build/index.ts";
import type { Node, Value } from "../../program/index.ts";
import type { ConvolutionShape } from "./form.ts";

/** A window in numbers. */
export interface GradientWindow {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Padding before the first element of each axis. */
  readonly before: readonly number[];
  readonly group: number;
}

/** Returns the window of a gradient node; pads are always numbers there. */
export function gradientWindow(node: Node, rank: number): GradientWindow {
  const ones = new Array<number>(rank).fill(1);
  return {
    strides: node.ints("strides") ?? ones,
    dilations: node.ints("dilations") ?? ones,
    before: (node.ints("pads") ?? new Array<number>(2 * rank).fill(0)).slice(0, rank),
    group: node.int("group", 1),
  };
}

/** Returns the shape that forms of a gradient are chosen by. */
export function convolutionShape(node: Node, x: readonly number[], w: readonly number[]): ConvolutionShape {
  const [examples, inputs, ...lengths] = x as [number, number, ...number[]];
  const [outputs, , ...kernel] = w as [number, number, ...number[]];
  const { strides, group } = gradientWindow(node, kernel.length);
  return { examples, inputs, outputs, lengths, kernel, stride: Math.max(...strides), group };
}

/** Attributes of a convolution of this shape whose padding keeps lengths at stride 1. */
export function samePadding({ kernel, stride, group }: ConvolutionShape): {
  readonly strides: number[];
  readonly pads: number[];
  readonly group: number;
} {
  const before = kernel.map((size) => Math.floor((size - 1) / 2));
  const after = kernel.map((size) => Math.ceil((size - 1) / 2));
  return { strides: kernel.map(() => stride), pads: [...before, ...after], group };
}

/** Lengths of a convolution's result with such padding. */
export function placesOf({ lengths, stride }: ConvolutionShape): number[] {
  return lengths.map((length) => Math.ceil(length / stride));
}

/** Inputs of a graph, drawn by whoever runs it. */
export function inputsOf(ops: Ops, shapes: Readonly<Record<string, readonly number[]>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, ops.input(name, "float32", shape)]));
}

/** Every combination of one offset per axis, the last axis fastest. */
export function offsetsOf(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>(
    (offsets, size) => offsets.flatMap((offset) => Array.from({ length: size }, (_, at) => [...offset, at])),
    [[]],
  );
}
