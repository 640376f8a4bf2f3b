/** Nodes that ONNX Runtime 1.30 computes wrongly on WebGPU, or lacks a kernel for, written as others that it computes right. */
import type { Value } from "../program/index.ts";
import { isFloat } from "../tensor/index.ts";
import type { Lowering } from "./lowering.ts";

/**
 * ConvTranspose in groups of several channels in and one out gives wrong numbers (groups of one in and one out, or of several
 * out, are right): group by group.
 */
const convTranspose: Lowering = (node, ops) => {
  const [x, w] = [node.input(0), node.input(1)];
  const group = node.int("group", 1);
  const inputs = ops.shapeOf(x)[1]! / group;
  if (group === 1 || inputs === 1 || ops.shapeOf(w)[1] !== 1) return undefined;
  const lengths = new Array<number>(group).fill(inputs);
  const [parts, kernels] = [ops.split(x, 1, lengths), ops.split(w, 0, lengths)];
  const attributes = { ...Object.fromEntries(node.attributes), group: undefined };
  const y = ops.concat(
    parts.map((part, index) => ops.emit("ConvTranspose", [part, kernels[index]!], attributes)),
    1,
  );
  const bias = node.inputs[2];
  return [
    bias
      ? ops.add(
          y,
          ops.reshape(bias, [
            group,
            ...ops
              .shapeOf(y)
              .slice(2)
              .map(() => 1),
          ]),
        )
      : y,
  ];
};

/** Slice backwards begins at the last element, wherever it is told to: what comes after the beginning is cut off before. */
const slice: Lowering = (node, ops) => {
  const x = node.input(0);
  const [starts, ends, given, steps] = node.inputs.slice(1).map((input) => ops.numbersOf(input));
  if (!starts || !ends || !steps?.some((step) => step < 0)) return undefined;
  const axes = given ?? starts.map((_, index) => index);
  const lengths = axes.map((axis) => ops.shapeOf(x).at(axis)!);
  const fromFront = (place: number, index: number) => (place < 0 ? place + lengths[index]! : place);
  const firsts = starts.map((start, index) => Math.min(fromFront(start, index), lengths[index]! - 1));
  const backward = axes.map((_, index) => steps[index]! < 0 && firsts[index]! < lengths[index]! - 1);
  if (!backward.some((cut) => cut)) return undefined;
  const kept = lengths.map((length, index) => (backward[index] ? firsts[index]! + 1 : length));
  const cut = ops.slice(x, { axes, starts: axes.map(() => 0), ends: kept });
  const lasts = ends.map((end, index) => {
    if (!backward[index]) return end;
    const place = fromFront(end, index);
    return place < 0 ? -kept[index]! - 1 : place;
  });
  const begins = starts.map((start, index) => (backward[index] ? -1 : start));
  return [ops.slice(cut, { axes, starts: begins, ends: lasts, steps })];
};

/** The kernel overflows: the largest is taken out first. */
const logSumExp: Lowering = (node, ops) => {
  const x = node.input(0);
  const axes = node.ints("axes") ?? ops.numbersOf(node.inputs[1]);
  if (axes?.length === 0 || (node.inputs[1] && !axes)) return undefined;
  const largest = ops.reduceMax(x, axes && { axes });
  const sum = ops.reduceSum(ops.exp(ops.sub(x, largest)), axes && { axes });
  return [ops.reshape(ops.add(ops.log(sum), largest), ops.shapeOf(node.output()))];
};

/** Without a kernel the processor would compute it, and everything would wait for the copies. */
const logSoftmax: Lowering = (node, ops) => {
  const x = node.input(0);
  const axes = [node.int("axis", -1)];
  const below = ops.sub(x, ops.reduceMax(x, { axes }));
  return [ops.sub(below, ops.log(ops.reduceSum(ops.exp(below), { axes })))];
};

/** Likewise. */
const sign: Lowering = (node, ops) => {
  const x = node.input(0);
  if (!isFloat(x.dtype)) return undefined;
  const mark = (condition: Value) => ops.cast(condition, x.dtype!);
  return [ops.sub(mark(ops.greater(x, 0)), mark(ops.less(x, 0)))];
};

/** Forms by operator. */
export const webgpuForms: Readonly<Record<string, Lowering>> = {
  ConvTranspose: convTranspose,
  Slice: slice,
  ReduceLogSumExp: logSumExp,
  LogSoftmax: logSoftmax,
  Sign: sign,
};
