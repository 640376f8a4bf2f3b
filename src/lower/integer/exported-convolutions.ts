/** Convolutions of codes whose results are codes. */
import type { Ops } from "../../build/index.ts";
import type { Node, Value } from "../../program/index.ts";
import { float32, roundHalfEven, Tensor } from "../../tensor/index.ts";
import type { Codes } from "../quantized.ts";

/** Largest bias in units of the products: sums stay below 2^31. */
const LARGEST_BIAS = 2 ** 30;

/** Deviations around the mean that results of a batch norm are given codes for. */
const DEVIATIONS = 6;

/** What a convolution of codes computes: y = scales (sums) + shifts, for each output channel. */
export interface ScaledConv {
  readonly node: Node;
  readonly input: Codes;
  readonly inputScale: number;
  /** int8, [channels, ...] */
  readonly kernel: Tensor;
  readonly scales: Float32Array;
  readonly shifts: Float32Array;
}

/** A grid of a result: y = (code - zeroPoint) scale, codes from 0 to 255. */
export interface ResultGrid {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Writes QLinearConv. ConvInteger would need no grid for its results, but was 9 times slower than a float convolution. */
export function quantizedConv(ops: Ops, conv: ScaledConv, grid: ResultGrid): Codes {
  const { node, input, inputScale, shifts } = conv;
  const inner = conv.kernel.data.length / shifts.length;
  const codes = Int8Array.from(conv.kernel.data as Int8Array);
  const scales = new Float32Array(shifts.length);
  const bias = new Int32Array(shifts.length);
  shifts.forEach((shift, channel) => {
    const wanted = conv.scales[channel]! / inputScale;
    // Scales are positive: the sign of a batch norm's factor goes into the codes. A factor of almost 0 leaves the shift alone.
    const least = Math.abs(shift) / (inputScale * LARGEST_BIAS);
    const isTooSmall = Math.abs(wanted) <= least || wanted === 0;
    scales[channel] = isTooSmall ? Math.max(least, 1e-12) : Math.abs(wanted);
    const sign = isTooSmall ? 0 : Math.sign(wanted);
    if (sign !== 1) {
      for (let at = channel * inner; at < (channel + 1) * inner; at++) codes[at] = Math.max(-127, codes[at]!) * sign;
    }
    bias[channel] = roundHalfEven(shift / (inputScale * scales[channel]!));
  });
  const scale = ops.constant(float32([], [grid.scale]));
  const zeroPoint = ops.constant(new Tensor("uint8", [], Uint8Array.of(grid.zeroPoint)));
  const weights = [new Tensor("int8", conv.kernel.shape, codes), float32([scales.length], scales)];
  const inputs = [
    input.codes,
    input.scale,
    input.zeroPoint,
    ...weights.map((tensor) => ops.constant(tensor)),
    ops.constant(new Tensor("int8", [], Int8Array.of(0))),
    scale,
    zeroPoint,
    ops.constant(new Tensor("int32", [bias.length], bias)),
  ];
  return { codes: ops.emit("QLinearConv", inputs, Object.fromEntries(node.attributes)), scale, zeroPoint };
}

/**
 * A grid for what a batch norm gives, from its parameters alone: in training channel c had mean bias_c and deviation |weight_c|.
 *
 * @param isCut Whether a ReLU follows, so that nothing below 0 is asked for.
 */
export function normalizedGrid(weight: Float32Array, bias: Float32Array, isCut: boolean): ResultGrid {
  let [low, high] = [0, 0];
  weight.forEach((gamma, channel) => {
    low = Math.min(low, bias[channel]! - DEVIATIONS * Math.abs(gamma));
    high = Math.max(high, bias[channel]! + DEVIATIONS * Math.abs(gamma));
  });
  if (isCut) low = 0;
  const scale = Math.fround(Math.max((high - low) / 255, 1e-8));
  return { scale, zeroPoint: roundHalfEven(-low / scale) };
}

/** What takes a value, as long as that is one node only. */
export class Followers {
  readonly #takers = new Map<Value, Node[]>();
  readonly #outputs: ReadonlySet<Value>;

  constructor(nodes: readonly Node[], outputs: readonly Value[]) {
    this.#outputs = new Set(outputs);
    for (const node of nodes) {
      for (const input of node.inputs) if (input) this.#takers.set(input, [...(this.#takers.get(input) ?? []), node]);
    }
  }

  /** The only node that takes the first output of a node; undefined if there are several, or it is an output of the graph. */
  after(node: Node): Node | undefined {
    const [output] = node.outputs;
    const takers = output && !this.#outputs.has(output) ? this.#takers.get(output) : undefined;
    return takers?.length === 1 ? takers[0] : undefined;
  }
}
