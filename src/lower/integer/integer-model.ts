/** Networks that were trained in 8 bits, as models for use: products of integers, on the grids that training found. */
import type { Ops } from "../../build/index.ts";
import { type Node, type Program, removeDeadNodes, staticShape, type Value } from "../../program/index.ts";
import { float32, roundHalfEven, Tensor } from "../../tensor/index.ts";
import { byteCodes, type Codes, hasByteCodes, quantizedOf } from "../quantized.ts";
import { rewriteProgram } from "../rewrite.ts";
import { keyOf } from "../without-kernel.ts";
import { ConstantNumbers, type FloatNumbers } from "./constant-numbers.ts";
import { Followers, normalizedGrid, quantizedConv, type ResultGrid } from "./exported-convolutions.ts";

/** Operators that move codes as they move numbers. */
const MOVES = new Set(["Flatten", "Reshape", "Identity"]);

const MICROSOFT = "com.microsoft";

/** Weights as bytes. */
interface WeightCodes {
  readonly codes: Tensor;
  /** One number, or one for each output channel. */
  readonly scales: Float32Array;
}

/** y = scales (the sums of integer products) + shifts: one number, or one for each output channel. */
interface ChannelScales {
  readonly scales: Float32Array;
  readonly shifts: Float32Array | undefined;
}

/** A product that can be written again with other scales. */
interface IntegerProduct extends ChannelScales {
  readonly write: (ops: Ops, scales: Float32Array, shifts: Float32Array | undefined) => Value;
}

interface BatchNormFactors {
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  readonly mean: Float32Array;
  /** weight / sqrt(variance + epsilon) */
  readonly factors: Float32Array;
}

/**
 * Replaces products of quantized numbers and constant weights by integer products, where grids are constant and codes fit a
 * byte: MatMulIntegerToFloat for matrices, QLinearConv for convolutions. Weights become int8 constants. What a batch norm
 * behind a product does to each channel goes into the scales of channels: codes stay those of training, so that all sums are
 * the same integers.
 *
 * The result of a convolution goes straight to the codes that the next layer reads, where there is nothing but ReLU, max pools and flattening
 * between. Elsewhere, before residual sums and averages, its grid spans six deviations of the batch norm behind it. Without one
 * the product stays in float, with int8 weights. Changes the program in place; returns how many products have codes.
 */
export function toIntegerModel(program: Program): number {
  const { graph } = program;
  const model = new IntegerModel(new Followers(graph.nodes, graph.outputs));
  const changes = rewriteProgram(program, (node, ops) => model.rewrite(node, ops));
  if (changes > 0) removeDeadNodes(program.graph);
  return model.products;
}

class IntegerModel {
  readonly #numbers = new ConstantNumbers();
  /** By the value that comes out. */
  readonly #made = new Map<Value, IntegerProduct>();
  /** Codes of activations, by the node that stands for the numbers. */
  readonly #codes = new Map<Node, Codes>();
  /** Results of convolutions in which the batch norm behind them is done. */
  readonly #normalized = new Set<Value>();
  readonly #followers: Followers;
  products = 0;

  constructor(followers: Followers) {
    this.#followers = followers;
  }

  rewrite(node: Node, ops: Ops): readonly Value[] | undefined {
    const key = keyOf(node);
    if (key === "MatMul" || key === "Gemm") return this.#matrixProduct(node, ops);
    if (key === "Conv") return this.#convolution(node, ops);
    if (key === "BatchNormalization") return this.#batchNorm(node, ops);
    return undefined;
  }

  #matrixProduct(node: Node, ops: Ops): readonly Value[] | undefined {
    const [a, b, bias] = node.inputs as [Value, Value, Value | undefined];
    const isPlain = node.float("alpha", 1) === 1 && node.float("beta", 1) === 1 && node.int("transA", 0) === 0;
    if (!isPlain || staticShape(b)?.length !== 2) return undefined;
    const isTurned = node.int("transB", 0) === 1;
    const weights = this.#weights(b, isTurned ? 0 : 1);
    const channels = staticShape(b)![isTurned ? 0 : 1]!;
    const shifts = bias && this.#perChannel(bias, channels);
    if (!weights || (bias && !shifts)) return undefined;
    const left = this.#activation(a, ops);
    if (!left) return undefined;
    const codes = isTurned ? turned(weights.codes) : weights.codes;
    return this.#add(ops, {
      scales: weights.scales,
      shifts,
      write: (at, scales, added) => {
        const right = [at.constant(codes), left.scale, at.constant(float32([scales.length], scales))];
        const rest = [left.zeroPoint, undefined, added && at.constant(float32([added.length], added))];
        return at.emit("MatMulIntegerToFloat", [left.codes, ...right, ...rest], {}, { domain: MICROSOFT });
      },
    });
  }

  #convolution(node: Node, ops: Ops): readonly Value[] | undefined {
    const [x, w, bias] = node.inputs as [Value, Value, Value | undefined];
    const shape = staticShape(w);
    const weights = this.#weights(w, 0);
    if (!shape || !weights) return undefined;
    const [channels] = shape as [number];
    const shifts = bias ? this.#perChannel(bias, channels) : new Float32Array(channels);
    const input = shifts && this.#activation(x, ops);
    const inputScale = input && this.#numbers.of(input.scale)?.data[0];
    if (!input || inputScale === undefined) return undefined;
    const each = Float32Array.from(shifts, (_, channel) => weights.scales[weights.scales.length === 1 ? 0 : channel]!);
    const plain = { scales: each.map((scale) => scale * inputScale), shifts };
    const next = this.#followers.after(node);
    const norm = next && keyOf(next) === "BatchNormalization" ? this.#factors(next) : undefined;
    const last = norm ? next! : node;
    const target = this.#gridBehind(last);
    const cut = this.#followers.after(last);
    const grid =
      target?.grid ?? (norm && normalizedGrid(norm.weight, norm.bias, cut !== undefined && keyOf(cut) === "Relu"));
    if (!grid) return [inFloat(ops, node, weights)];
    this.products++;
    const scaled = norm ? normalized(plain, norm) : plain;
    const result = quantizedConv(ops, { node, input, inputScale, kernel: weights.codes, ...scaled }, grid);
    if (target) this.#codes.set(target.quantized, through(ops, result, target.moves));
    const numbers = ops.emit("DequantizeLinear", [result.codes, result.scale, result.zeroPoint]);
    if (norm) this.#normalized.add(numbers);
    return [numbers];
  }

  /** The grid that the result of a node is put on by the only one that takes it, be it through ReLU and maxima of windows. */
  #gridBehind(node: Node): { quantized: Node; grid: ResultGrid; moves: readonly Node[] } | undefined {
    const moves: Node[] = [];
    let isCut = false;
    for (let next = this.#followers.after(node); next; next = this.#followers.after(next)) {
      const key = keyOf(next);
      if ((key === "MaxPool" && next.outputs.length === 1) || MOVES.has(key)) moves.push(next);
      else if (key === "Relu") isCut = true;
      else if (key === "modicum:Quantized") {
        const grid = this.#gridOf(next);
        // Codes below those of 0 are not cut off by saturation.
        return grid && (!isCut || grid.zeroPoint === 0) ? { quantized: next, grid, moves } : undefined;
      } else return undefined;
    }
    return undefined;
  }

  /** The grid of a node of uint8 codes, all 256 of them. */
  #gridOf(node: Node): ResultGrid | undefined {
    const { scale, zeroPoint, noise, lowest, highest } = quantizedOf(node);
    if (noise || highest - lowest !== 255) return undefined;
    const [step, zero] = [this.#numbers.of(scale), zeroPoint && this.#numbers.of(zeroPoint)];
    if (step?.data.length !== 1 || (zeroPoint && !zero)) return undefined;
    return { scale: step.data[0]!, zeroPoint: zero ? zero.data[0]! : -lowest };
  }

  /** Of a product: one with other scales and shifts. */
  #batchNorm(node: Node, ops: Ops): readonly Value[] | undefined {
    const x = node.input(0);
    if (this.#normalized.has(x)) return [x];
    const product = this.#made.get(x);
    const norm = product && this.#factors(node);
    if (!norm) return undefined;
    const { scales, shifts } = normalized(product, norm);
    return [product.write(ops, scales, shifts)];
  }

  /** y = x factor + shift of a batch norm in use. */
  #factors(node: Node): BatchNormFactors | undefined {
    if (node.outputs.filter(Boolean).length !== 1) return undefined;
    const [weight, bias, mean, variance] = node.inputs.slice(1).map((value) => value && this.#numbers.of(value)?.data);
    if (!weight || !bias || !mean || !variance) return undefined;
    const epsilon = node.float("epsilon", 1e-5);
    const factors = weight.map((gamma, channel) => gamma / Math.sqrt(variance[channel]! + epsilon));
    return { weight, bias, mean, factors };
  }

  #add(ops: Ops, product: IntegerProduct): readonly Value[] {
    this.products++;
    const y = product.write(ops, product.scales, product.shifts);
    this.#made.set(y, product);
    return [y];
  }

  /** Codes of an activation whose grid training has found. */
  #activation(value: Value, ops: Ops): Codes | undefined {
    const node = value.producer;
    if (!node || keyOf(node) !== "modicum:Quantized") return undefined;
    const known = this.#codes.get(node);
    if (known) return known;
    const { scale, zeroPoint } = quantizedOf(node);
    const [step, zero] = [this.#numbers.of(scale), zeroPoint && this.#numbers.of(zeroPoint)];
    if (!hasByteCodes(node, ops) || !step || (zeroPoint && !zero)) return undefined;
    node.inputs[1] = ops.constant(float32([], step.data));
    if (zero) node.inputs[2] = ops.constant(float32([], zero.data));
    const made = byteCodes(ops, node, "uint8");
    this.#codes.set(node, made);
    return made;
  }

  /** Codes of a weight; its scales are those of the tensor, or of output channels. */
  #weights(value: Value, channelAxis: number): WeightCodes | undefined {
    const node = value.producer;
    if (!node || keyOf(node) !== "modicum:Quantized") return undefined;
    const { x, scale, zeroPoint, noise, lowest, highest } = quantizedOf(node);
    const [numbers, scales] = [this.#numbers.of(x), this.#numbers.of(scale)];
    if (zeroPoint || noise || lowest < -128 || highest > 127 || !numbers || !scales) return undefined;
    const { shape, data } = numbers;
    const channels = shape[channelAxis]!;
    if (scales.data.length !== 1 && !isPerChannel(scales, channels, shape.length - channelAxis)) return undefined;
    const inner = shape.slice(channelAxis + 1).reduce((a, b) => a * b, 1);
    const codes = Int8Array.from(data, (number, place) => {
      const step = scales.data[scales.data.length === 1 ? 0 : Math.floor(place / inner) % channels]!;
      return Math.min(Math.max(roundHalfEven(Math.fround(number / step)), lowest), highest);
    });
    return { codes: new Tensor("int8", shape, codes), scales: scales.data };
  }

  /** A bias that is constant, one number for each channel. */
  #perChannel(value: Value, channels: number): Float32Array | undefined {
    const found = this.#numbers.of(value);
    return found?.shape.length === 1 && found.data.length === channels ? found.data : undefined;
  }
}

/** Whether scales shaped to broadcast are those of the axis that is `fromEnd` axes from the end. */
function isPerChannel({ shape, data }: FloatNumbers, channels: number, fromEnd: number): boolean {
  return data.length === channels && shape.at(-fromEnd) === channels;
}

/** [n, k] -> [k, n] */
function turned({ shape, data }: Tensor): Tensor {
  const [rows, columns] = shape as [number, number];
  const source = data as Int8Array;
  const codes = Int8Array.from(source, (_, place) => source[(place % rows) * columns + Math.floor(place / rows)]!);
  return new Tensor("int8", [columns, rows], codes);
}

/** What a product is behind a batch norm: (scale x + shift - mean) factor + bias. */
function normalized({ scales, shifts }: ChannelScales, { factors, mean, bias }: BatchNormFactors) {
  const at = (numbers: Float32Array, channel: number): number => numbers[numbers.length === 1 ? 0 : channel]!;
  return {
    scales: factors.map((factor, channel) => factor * at(scales, channel)),
    shifts: factors.map(
      (factor, channel) => ((shifts ? at(shifts, channel) : 0) - mean[channel]!) * factor + bias[channel]!,
    ),
  };
}

/** Codes behind nodes that do to codes what they do to numbers. */
function through(ops: Ops, { codes, scale, zeroPoint }: Codes, moves: readonly Node[]): Codes {
  const moved = moves.reduce(
    (x, node) => ops.emit(node.operator, [x, ...node.inputs.slice(1)], Object.fromEntries(node.attributes)),
    codes,
  );
  return { codes: moved, scale, zeroPoint };
}

/** A convolution of float numbers whose weights are stored as codes. */
function inFloat(ops: Ops, node: Node, { codes, scales }: WeightCodes): Value {
  const scale = ops.constant(float32(scales.length === 1 ? [] : [scales.length], scales));
  const weights = ops.emit("DequantizeLinear", [ops.constant(codes), scale], scales.length === 1 ? {} : { axis: 0 });
  return ops.emit("Conv", [node.input(0), weights, ...node.inputs.slice(2)], Object.fromEntries(node.attributes));
}
