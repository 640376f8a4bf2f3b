/** Convolutions and their transposes, which are the gradients of their inputs. */
import type { Ops } from "../../../build/index.ts";
import { type Node, staticShape, type Value } from "../../../program/index.ts";
import { type AxisPhases, phasesOf, type Taps } from "../../forms/phases.ts";
import type { BlockedContext, BlockedRule } from "../blocked-rule.ts";
import { filterOf, transposedFilter } from "../filters.ts";
import { blockedConv, channelAffine } from "../nchwc.ts";
import { scaledFilters, withoutScale } from "../scaled-gradient.ts";

/** The window of a two-dimensional convolution in numbers. */
export interface Window {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** Top, left, bottom, right. */
  readonly pads: readonly [number, number, number, number];
  readonly group: number;
}

/** Returns the window of a node with these weights; undefined if it is not two-dimensional, or its pads are not numbers. */
export function windowOf(node: Node, weight: Value): Window | undefined {
  const shape = staticShape(weight);
  const mode = node.string("auto_pad", "NOTSET");
  if (shape?.length !== 4 || (mode !== "NOTSET" && mode !== "VALID")) return undefined;
  return {
    kernel: [shape[2]!, shape[3]!],
    strides: (node.ints("strides") ?? [1, 1]) as [number, number],
    dilations: (node.ints("dilations") ?? [1, 1]) as [number, number],
    pads: (node.ints("pads") ?? [0, 0, 0, 0]) as [number, number, number, number],
    group: node.int("group", 1),
  };
}

/** Whether a convolution with these weights has a kernel on blocks: dense, or one filter per channel. */
export function hasBlockedKernel(shape: readonly number[], group: number, block: number): boolean {
  const [out, inputs] = shape as [number, number];
  if (out % block !== 0) return false;
  return group === 1 ? inputs < block || inputs % block === 0 : inputs === 1 && out === group;
}

const conv: BlockedRule = ({ node, ops, block, canBlock, blocked, plain, mark }) => {
  const [x, w] = [node.input(0), node.input(1)];
  const window = windowOf(node, w);
  const shape = staticShape(node.output());
  if (!window || !shape || w.dtype !== "float32" || !hasBlockedKernel(ops.shapeOf(w), window.group, block))
    return undefined;
  // Pictures have fewer channels than a block: their first convolution reads the plain layout.
  const isPicture = window.group === 1 && ops.shapeOf(w)[1]! < block;
  if (!isPicture && !canBlock(x)) return undefined;
  const { strides, dilations, pads, group } = window;
  const settings = { filter: filterOf(ops, w, block), bias: node.inputs[2], strides, dilations, pads, group };
  return [mark(blockedConv(ops, isPicture ? plain(x) : blocked(x), settings, shape))];
};

const inputGradient: BlockedRule = (context) => {
  const { node, mark } = context;
  const { gradient, scale } = withoutScale(context, node.input(0));
  const weight = scaledFilters(context, node.input(1), scale);
  const dx = transposed(context, gradient, weight, node.ints("input_shape")!);
  return dx && [mark(dx)];
};

const convTranspose: BlockedRule = (context) => {
  const { node, ops, mark } = context;
  const shape = staticShape(node.output());
  const y =
    shape && node.ints("output_shape") === undefined && transposed(context, node.input(0), node.input(1), shape);
  if (!y) return undefined;
  const bias = node.inputs[2];
  return [mark(bias ? channelAffine(ops, y, ops.full([shape[1]!], 1), bias) : y)];
};

/** From dy [batch, out, ...] back to [batch, inputs, ...]; undefined where no blocked convolution does it. */
function transposed(context: BlockedContext, dy: Value, w: Value, shape: readonly number[]): Value | undefined {
  const { node, ops, block, canBlock, blocked } = context;
  const window = windowOf(node, w);
  const [out, inputs] = ops.shapeOf(w) as [number, number];
  if (!window || !canBlock(dy) || w.dtype !== "float32" || shape.length !== 4) return undefined;
  const { group } = window;
  if (group === 1 ? inputs % block !== 0 : inputs !== 1 || out !== group) return undefined;
  const places = ops.shapeOf(dy).slice(2);
  const [rows, columns] = [0, 1].map((axis) =>
    phasesOf({
      size: window.kernel[axis]!,
      stride: window.strides[axis]!,
      dilation: window.dilations[axis]!,
      before: window.pads[axis]!,
      length: shape[axis + 2]!,
      places: places[axis]!,
    }),
  );
  if (!rows || !columns) return undefined;
  const isStrided = rows.taps.length * columns.taps.length > 1;
  if (group > 1) return isStrided ? undefined : depthwise(context, dy, w, window, shape, [rows, columns]);
  const kernelWidth = window.kernel[1];
  const phases = rows.taps.flatMap((row) =>
    columns.taps.map(
      (column): Taps =>
        row.flatMap((r) => column.map((c) => (r === undefined || c === undefined ? undefined : r * kernelWidth + c))),
    ),
  );
  const kernel = [rows.taps[0]!.length, columns.taps[0]!.length];
  const used = phases.flatMap((phase, index) => (phase.some((tap) => tap !== undefined) ? [index] : []));
  const dilations = isStrided ? [1, 1] : window.dilations;
  const pads = [rows.begin, columns.begin, rows.end, columns.end];
  const only = used.length === 1 ? used : phases.map((_, index) => index);
  const filter = transposedFilter(
    ops,
    w,
    only.map((index) => phases[index]!),
    kernel,
    block,
  );
  const batch = shape[0]!;
  const parts = [batch, only.length * inputs, rows.length, columns.length];
  const y = blockedConv(ops, blocked(dy), { filter, pads, dilations }, parts);
  if (!isStrided) return y;
  const spread = { batch, blocks: inputs / block, block, rows, columns };
  return only.length === 1 ? scatterPhase(ops, y, only[0]!, spread, shape) : interleave(ops, y, spread, shape);
}

function depthwise(
  { ops, block, blocked }: BlockedContext,
  dy: Value,
  w: Value,
  { dilations, group }: Window,
  shape: readonly number[],
  [rows, columns]: readonly (AxisPhases | undefined)[],
): Value {
  const [height, width] = ops.shapeOf(w).slice(2) as [number, number];
  const taps = ops.reshape(w, [group, height * width]);
  const flipped = ops.slice(taps, { axes: [1], starts: [-1], ends: [-1 - height * width], steps: [-1] });
  const filter = filterOf(ops, ops.reshape(flipped, [group, 1, height, width]), block);
  const pads = [rows!.begin, columns!.begin, rows!.end, columns!.end];
  return blockedConv(ops, blocked(dy), { filter, pads, dilations, group }, shape);
}

/** What the phases of both axes are put together by. */
interface Spread {
  readonly batch: number;
  readonly blocks: number;
  readonly block: number;
  readonly rows: AxisPhases;
  readonly columns: AxisPhases;
}

/** Puts a single phase in its places and zeros between them. */
function scatterPhase(
  ops: Ops,
  y: Value,
  phase: number,
  { batch, blocks, block, rows, columns }: Spread,
  shape: readonly number[],
): Value {
  const [down, right] = [rows.taps.length, columns.taps.length];
  const [row, column] = [Math.floor(phase / right), phase % right];
  const view = ops.reshape(y, [batch * blocks, rows.length, 1, columns.length, block]);
  const padded = ops.pad(ops.reshape(view, [batch * blocks, rows.length, 1, columns.length, 1, block]), [
    ...[0, 0, row, 0, column, 0],
    ...[0, 0, down - 1 - row, 0, right - 1 - column, 0],
  ]);
  return cut(ops, padded, [batch * blocks, rows.length * down, columns.length * right, block], shape);
}

/** [batch, rows, columns of phases, blocks, height, width, block] -> phases next to each other. */
function interleave(
  ops: Ops,
  y: Value,
  { batch, blocks, block, rows, columns }: Spread,
  shape: readonly number[],
): Value {
  const [down, right] = [rows.taps.length, columns.taps.length];
  const view = ops.reshape(y, [batch, down, right, blocks, rows.length, columns.length, block]);
  const moved = ops.transpose(view, [0, 3, 4, 1, 5, 2, 6]);
  return cut(ops, moved, [batch * blocks, rows.length * down, columns.length * right, block], shape);
}

/** Drops positions beyond the end, where strides do not divide the length. */
function cut(ops: Ops, y: Value, from: readonly number[], shape: readonly number[]): Value {
  const [height, width] = [shape[2]!, shape[3]!];
  if (from[1] === height && from[2] === width) return ops.reshape(y, shape);
  const slice = ops.slice(ops.reshape(y, from), { axes: [1, 2], starts: [0, 0], ends: [height, width] });
  return ops.reshape(slice, shape);
}

export const convolution: Readonly<Record<string, BlockedRule>> = {
  Conv: conv,
  ConvTranspose: convTranspose,
  "modicum:ConvInputGradient": inputGradient,
};
