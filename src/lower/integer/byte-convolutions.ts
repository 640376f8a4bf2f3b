/** Convolutions whose operands and results are codes of one byte: QLinearConv with channels last. */
import type { Ops } from "../../build/index.ts";
import { Node, type Program, Value } from "../../program/index.ts";
import { int64 } from "../../tensor/index.ts";
import { type Codes, gridOf, hasByteCodes, quantizedOf } from "../quantized.ts";
import { keyOf } from "../without-kernel.ts";
import { codesOf, type Lowered, pictureCodesOf, pictureOf, writtenCodes } from "./codes.ts";
import { type Window, windowOf } from "./integer-convolutions.ts";

/** Channels from which on bytes are faster than float convolutions on blocks: 2.1 times at 64 on 32 x 32, 2.6 at 128 on 16 x 16. */
const LEAST_CHANNELS = 64;

/** Places of a tall picture that several small ones are put together to: the kernel sorts its weights anew for each picture. */
const TALL_PLACES = 2048;

/** A convolution of codes. */
interface ByteConvolution {
  readonly x: () => Codes;
  /** int8, [outputs, inputs, height, width] */
  readonly w: () => Codes;
  readonly window: Window;
  readonly bias: Value | undefined;
}

/** Returns how a convolution, or the gradient of its input, is one of codes; undefined where it is none. */
function byteConvolution(node: Node | undefined, ops: Ops): ByteConvolution | undefined {
  if (!node || (keyOf(node) !== "Conv" && keyOf(node) !== "modicum:ConvInputGradient")) return undefined;
  const [data, weight] = [node.input(0), node.input(1)];
  const window = windowOf(node, ops, weight, LEAST_CHANNELS);
  const [x, w] = [pictureCodesOf(ops, data), codesOf(ops, weight, "int8")];
  if (!window || !x || !w) return undefined;
  if (node.operator === "Conv") return { x, w, window, bias: node.inputs[2] };
  const { kernel, strides, pads } = window;
  const rest = pads.map((pad, index) => kernel[index % 2]! - 1 - pad);
  if (strides.some((stride) => stride !== 1) || rest.some((pad) => pad < 0)) return undefined;
  return { x, w: () => turned(ops, w()), window: { kernel, strides, pads: rest }, bias: undefined };
}

/** Weights that carry gradients back: [outputs, inputs, ...kernel] -> [inputs, outputs, ...kernel], turned by half. */
function turned(ops: Ops, { codes, ...grid }: Codes): Codes {
  const [outputs, inputs, ...kernel] = ops.shapeOf(codes) as [number, number, number, number];
  const taps = kernel[0]! * kernel[1]!;
  const across = ops.transpose(ops.reshape(codes, [outputs, inputs, taps]), [1, 0, 2]);
  const order = ops.constant(int64(Array.from({ length: taps }, (_, tap) => taps - 1 - tap)));
  return {
    ...grid,
    codes: ops.reshape(taps === 1 ? across : ops.gather(across, order, 2), [inputs, outputs, ...kernel]),
  };
}

/** Finds convolutions of a program whose only reader rounds what they give: those are left to `roundedConvolution`. */
export function roundedConvolutions(program: Program): ReadonlySet<Node> {
  const found = new Set<Node>();
  for (const [value, uses] of program.graph.uses()) {
    const [use] = uses;
    const isRounded =
      uses.length === 1 && use?.node && keyOf(use.node) === "modicum:Quantized" && use.node.inputs[0] === value;
    if (isRounded && value.producer) found.add(value.producer);
  }
  return found;
}

/** Whether a convolution of codes gives codes. */
export function givesCodes(node: Node, ops: Ops, rounded: ReadonlySet<Node>): boolean {
  return rounded.has(node) && byteConvolution(node, ops) !== undefined;
}

/** The rounded result of a convolution of codes. */
export function roundedConvolution(node: Node, ops: Ops, rounded: ReadonlySet<Node>): Lowered {
  const grid = quantizedOf(node);
  const from = grid.x.producer;
  if (!from || !rounded.has(from) || grid.noise || !hasByteCodes(node, ops)) return undefined;
  const conv = grid.highest - grid.lowest === 255 ? byteConvolution(from, ops) : undefined;
  if (!conv) return undefined;
  return [pictureOf(ops, convolve(ops, conv, gridOf(ops, grid, "uint8"), ops.shapeOf(grid.x)))];
}

/** The largest or smallest number of codes is that of the largest or smallest code. */
export function extremeOfCodes(node: Node, ops: Ops): Lowered {
  const known = writtenCodes(node.input(0).producer);
  if (!known || node.inputs[1] || node.ints("axes")) return undefined;
  const code = ops.emit(node.operator, [known.codes], Object.fromEntries(node.attributes));
  return [ops.emit("DequantizeLinear", [code, known.scale, known.zeroPoint])];
}

/** Pictures [batch, height, width, inputs] -> codes [batch, ..., outputs] on a grid. */
function convolve(ops: Ops, conv: ByteConvolution, grid: Omit<Codes, "codes">, shape: readonly number[]): Codes {
  const { window, bias } = conv;
  const [x, w] = [conv.x(), conv.w()];
  const [batch, height, width, inputs] = ops.shapeOf(x.codes) as [number, number, number, number];
  const [, outputs, rows, columns] = shape as [number, number, number, number];
  const units = bias && ops.cast(ops.round(ops.div(bias, ops.mul(x.scale, w.scale))), "int32");
  const emit = (codes: Value, sizes: readonly number[]): Value =>
    qLinearConv(ops, [codes, x.scale, x.zeroPoint, w.codes, w.scale, w.zeroPoint, grid.scale, grid.zeroPoint, units], {
      window,
      shape: sizes,
    });
  const tall = tallPictures(window, [batch, height, width], rows);
  if (!tall) return { ...grid, codes: emit(x.codes, [batch, rows, columns, outputs]) };
  const { count, gap, step } = tall;
  const pads = ops.constant(int64([0, 0, 0, 0, 0, gap, 0, 0]));
  const apart = gap === 0 ? x.codes : ops.emit("Pad", [x.codes, pads, x.zeroPoint]);
  const together = ops.reshape(apart, [batch / count, count * (height + gap), width, inputs]);
  const y = ops.reshape(emit(together, [batch / count, count * step, columns, outputs]), [
    batch,
    step,
    columns,
    outputs,
  ]);
  return { ...grid, codes: step === rows ? y : ops.slice(y, { axes: [1], starts: [0], ends: [rows] }) };
}

/**
 * How many pictures are put below each other, and how many rows of zeros between them serve as padding of both; each then gives `step`
 * rows of results, of which the first are its own. Undefined where they are large enough, or cannot be put together.
 */
function tallPictures({ kernel, strides, pads }: Window, [batch, height, width]: readonly number[], rows: number) {
  const [top, , bottom] = pads as [number, number, number, number];
  const stride = strides[0]!;
  let gap = Math.max(top, bottom);
  while ((height! + gap) % stride !== 0) gap++;
  const step = (height! + gap) / stride;
  let count = Math.max(1, Math.floor(TALL_PLACES / (height! * width!)));
  while (batch! % count !== 0) count--;
  const given = Math.floor((count * (height! + gap) + top + bottom - kernel[0]) / stride) + 1;
  return count > 1 && given === count * step && rows <= step ? { count, gap, step } : undefined;
}

/** Appends ONNX Runtime's QLinearConv, which takes channels last. */
function qLinearConv(
  ops: Ops,
  inputs: readonly (Value | undefined)[],
  { window, shape }: { readonly window: Window; readonly shape: readonly number[] },
): Value {
  const name = `${ops.path ? `${ops.path}/` : ""}QLinearConv_${ops.writer.nextNumber()}`;
  const output = new Value(name, "uint8", shape);
  const attributes = { channels_last: 1, kernel_shape: window.kernel, strides: window.strides, pads: window.pads };
  const given = inputs.at(-1) ? inputs : inputs.slice(0, -1);
  ops.writer.append(new Node("QLinearConv", given, [output], { domain: "com.microsoft", name, attributes }));
  return output;
}
