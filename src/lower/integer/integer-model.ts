/** Networks that were trained in 8 bits, as models for use: products of integers, on the grids that training found. */
import type { Ops } from "../../build/index.ts";
import { type Node, type Program, removeDeadNodes, staticShape, type Value } from "../../program/index.ts";
import { float32, Tensor } from "../../tensor/index.ts";
import { byteCodes, type Codes, hasByteCodes, quantizedOf } from "../quantized.ts";
import { rewriteProgram } from "../rewrite.ts";
import { keyOf } from "../without-kernel.ts";
import { ConstantNumbers, type FloatNumbers, roundHalfToEven } from "./constant-numbers.ts";

const MICROSOFT = "com.microsoft";

/** Weights as bytes. */
interface WeightCodes {
  readonly codes: Tensor;
  /** One number, or one for each output channel. */
  readonly scales: Float32Array;
}

/** y = scales (the sums of integer products) + shifts, both one number for each output channel. */
interface IntegerProduct {
  readonly write: (ops: Ops, scales: Float32Array, shifts: Float32Array | undefined) => Value;
  readonly scales: Float32Array;
  readonly shifts: Float32Array | undefined;
}

/**
 * Replaces products of quantized numbers and constant weights by integer products, where grids are constant and codes fit a
 * byte: MatMulIntegerToFloat for matrices, ConvInteger for convolutions. Weights become int8 constants. What a batch norm
 * behind a product does to each channel goes into the scales of channels: codes stay those of training, so that all sums are
 * the same integers. Changes the program in place; returns how many products.
 */
export function toIntegerModel(program: Program): number {
  const model = new IntegerModel();
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
  products = 0;

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
    const shifts = bias && this.#perChannel(bias, shape[0]!);
    if (bias && !shifts) return undefined;
    const input = this.#activation(x, ops);
    const scaleOfInput = input && this.#numbers.of(input.scale)?.data[0];
    if (!input || scaleOfInput === undefined) return undefined;
    const kernel = ops.constant(weights.codes);
    const sums = ops.emit("ConvInteger", [input.codes, kernel, input.zeroPoint], Object.fromEntries(node.attributes));
    const perChannel = [1, ...shape.slice(2).map(() => 1)];
    return this.#add(ops, {
      scales: weights.scales.map((scale) => scale * scaleOfInput),
      shifts,
      write: (at, scales, added) => {
        const constant = (numbers: Float32Array): Value =>
          at.constant(
            numbers.length === 1 ? float32([], numbers) : float32([numbers.length, ...perChannel.slice(1)], numbers),
          );
        const scaled = at.mul(at.cast(sums, "float32"), constant(scales));
        return added ? at.add(scaled, constant(added)) : scaled;
      },
    });
  }

  /** y = (x - mean) a + bias, a = weight / sqrt(variance + epsilon), of a product: one with other scales and shifts. */
  #batchNorm(node: Node, ops: Ops): readonly Value[] | undefined {
    const product = node.outputs.filter(Boolean).length === 1 ? this.#made.get(node.input(0)) : undefined;
    if (!product) return undefined;
    const found = node.inputs.slice(1).map((value) => value && this.#numbers.of(value)?.data);
    const [weight, bias, mean, variance] = found;
    if (!weight || !bias || !mean || !variance) return undefined;
    const epsilon = node.float("epsilon", 1e-5);
    const at = (numbers: Float32Array, channel: number): number => numbers[numbers.length === 1 ? 0 : channel]!;
    const factors = weight.map((gamma, channel) => gamma / Math.sqrt(variance[channel]! + epsilon));
    const scales = factors.map((factor, channel) => factor * at(product.scales, channel));
    const shifts = factors.map((factor, channel) => {
      const before = product.shifts ? at(product.shifts, channel) : 0;
      return (before - mean[channel]!) * factor + bias[channel]!;
    });
    return [product.write(ops, scales, shifts)];
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
      return Math.min(Math.max(roundHalfToEven(Math.fround(number / step)), lowest), highest);
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
