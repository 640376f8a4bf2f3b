/** Reductions over places, and pools. */
import { staticShape, type Value } from "../../../program/index.ts";
import { elementCount } from "../../../tensor/index.ts";
import type { BlockedContext, BlockedRule } from "../blocked-rule.ts";
import { emitBlocked, meanOverPlaces } from "../nchwc.ts";
import { maxPoolGradientByTaps } from "../pool-by-taps.ts";

/** Sums and means over all places, of each example or of the batch, or over everything. Their results are the same in both layouts. */
function reduction(isMean: boolean): BlockedRule {
  return ({ node, ops, isBlocked, canBlock }) => {
    const x = node.input(0);
    const given = ops.numbersOf(node.inputs[1]) ?? node.ints("axes");
    if (!isBlocked(x) || !canBlock(x)) return undefined;
    // Over everything it does not matter what lies where.
    if (!node.inputs[1] && !given) return [ops.emit(node.operator, [x], Object.fromEntries(node.attributes))];
    if (!given) return undefined;
    const axes = new Set(given.map((axis) => (axis < 0 ? axis + 4 : axis)));
    if (!axes.has(2) || !axes.has(3) || axes.has(1)) return undefined;
    const means = meanOverPlaces(ops, x);
    const places = elementCount(ops.shapeOf(x).slice(2));
    const kept = ops.shapeOf(node.output());
    if (isMean) return [ops.reshape(axes.has(0) ? ops.reduceMean(means, { axes: [0] }) : means, kept)];
    return [ops.reshape(ops.mul(axes.has(0) ? ops.reduceSum(means, { axes: [0] }) : means, places), kept)];
  };
}

const globalAveragePool: BlockedRule = ({ node, ops, isBlocked, canBlock }) => {
  const x = node.input(0);
  if (!isBlocked(x) || !canBlock(x)) return undefined;
  return [ops.reshape(meanOverPlaces(ops, x), ops.shapeOf(node.output()))];
};

const globalMaxPool: BlockedRule = ({ node, ops, isBlocked, canBlock }) => {
  const x = node.input(0);
  if (!isBlocked(x) || !canBlock(x)) return undefined;
  return [emitBlocked(ops, "GlobalMaxPool", [x], ops.shapeOf(node.output()))];
};

/** Windows whose attributes the blocked kernels share with ONNX's operators. */
const pool: BlockedRule = ({ node, ops, isBlocked, canBlock, mark }: BlockedContext) => {
  const x = node.input(0);
  const shape = staticShape(node.output());
  if (!isBlocked(x) || !canBlock(x) || !shape || node.outputs.length > 1) return undefined;
  const mode = node.string("auto_pad", "NOTSET");
  if (mode !== "NOTSET" || node.int("ceil_mode", 0) === 1 || node.int("storage_order", 0) === 1) return undefined;
  return [mark(emitBlocked(ops, node.operator, [x], shape, Object.fromEntries(node.attributes)))];
};

const maxPoolGradient: BlockedRule = ({ node, ops, block, isBlocked, canBlock, blocked, mark }) => {
  const [dy, x, y] = [node.input(0), node.input(1), node.input(2)];
  if (!isBlocked(x) || !canBlock(dy) || !canBlock(y)) return undefined;
  const shape = ops.shapeOf(x);
  const [lengths, places] = [shape.slice(2), ops.shapeOf(y).slice(2)];
  const outer = (shape[0]! * shape[1]!) / block;
  const values = { dy: blocked(dy), x, y: blocked(y) };
  const dx = maxPoolGradientByTaps(ops, { node, ...values, lengths, places, outer, inner: block });
  return [mark(ops.reshape(dx, shape))];
};

/** Cutting and joining channels at whole blocks. */
const concat: BlockedRule = ({ node, ops, isBlocked, canBlock, blocked, mark }) => {
  const inputs = node.inputs.filter((input): input is Value => input !== undefined);
  const axis = node.int("axis", 0);
  if (!inputs.some((input) => isBlocked(input)) || !inputs.every((input) => canBlock(input))) return undefined;
  if (axis !== 1 && axis !== -3 && axis !== 0 && axis !== -4) return undefined;
  return [
    mark(
      ops.concat(
        inputs.map((input) => blocked(input)),
        axis,
      ),
    ),
  ];
};

export const pooling: Readonly<Record<string, BlockedRule>> = {
  ReduceSum: reduction(false),
  ReduceMean: reduction(true),
  GlobalAveragePool: globalAveragePool,
  GlobalMaxPool: globalMaxPool,
  MaxPool: pool,
  AveragePool: pool,
  "modicum:MaxPoolGradient": maxPoolGradient,
  Concat: concat,
};
