/** Learning which way to round a weight: AdaRound. */
import type { Ops } from "../build/index.ts";
import type { Layer } from "../prepare/index.ts";
import type { Value } from "../program/index.ts";
import { type ChannelWeights, highestCode } from "../quantize/index.ts";
import { float32, type Tensor, toFloat32 } from "../tensor/index.ts";

/** The sigmoid is stretched to [-0.1, 1.1] and clipped, so that it reaches 0 and 1: zeta and gamma of the paper. */
const HIGH = 1.1;
const LOW = -0.1;

/** Distance from the middle at which a rounding starts that is not the nearest: it is held, but may still turn. */
const UNDECIDED = 0.05;

/** Where learning the rounding of a layer's weights starts. All in the layout of the weights. */
export interface RoundingStart {
  /** The lower of the two codes that each weight may become. */
  readonly codes: Tensor;
  /** Scales of the channels, shaped to be multiplied with the codes. */
  readonly scales: Tensor;
  /** Variables V whose `softRounding` is the upper code's share: at least 1/2 where the draft has the upper code. */
  readonly variables: Tensor;
  /** The weights in units of their scale, kept on the draft's side of the middle between two codes: they round to its codes. */
  readonly places: Tensor;
}

/**
 * Returns the rounding of a draft as a start for learning: the two codes next to each weight, or where the draft has another
 * code that one and its neighbour towards the weight; and each weight's place between them, kept on the draft's side.
 */
export function roundingStart(layer: Layer, { codes, grids, shape, channelAxis }: ChannelWeights): RoundingStart {
  const floats = toFloat32(layer.weight.constant!.load());
  const inner = shape.slice(channelAxis + 1).reduce((product, length) => product * length, 1);
  const lower = new Float32Array(codes.length);
  const variables = new Float32Array(codes.length);
  const places = new Float32Array(codes.length);
  for (let i = 0; i < codes.length; i++) {
    const grid = grids[Math.floor(i / inner) % grids.length]!;
    const exact = floats[i]! / grid.scale;
    const code = codes[i]!;
    const below = Math.min(Math.max(Math.floor(exact), code - 1, grid.lowestCode), code, highestCode(grid) - 1);
    lower[i] = below;
    const place = exact - below;
    const start = code > below ? Math.max(place, 0.5 + UNDECIDED) : Math.min(place, 0.5 - UNDECIDED);
    variables[i] = inverseSoftRounding(start);
    places[i] = below + Math.min(Math.max(start, 0), 1);
  }
  const lengths = shape.map((length, axis) => (axis === channelAxis ? length : 1));
  return {
    codes: float32(shape, lower),
    scales: float32(
      lengths,
      grids.map(({ scale }) => scale),
    ),
    variables: float32(shape, variables),
    places: float32(shape, places),
  };
}

/** Returns h(V) = clip(1.2 sigmoid(V) - 0.1, 0, 1), arXiv:2004.10568, equation 23. */
export function softRounding(ops: Ops, variables: Value): Value {
  return ops.clip(ops.add(ops.mul(ops.sigmoid(variables), HIGH - LOW), LOW), 0, 1);
}

/** Returns the rounding that V stands for once it is decided: 1 where h(V) is at least 1/2. */
export function hardRounding(ops: Ops, variables: Value): Value {
  return ops.cast(ops.greaterOrEqual(variables, 0), variables.dtype!);
}

/** The V for which h(V) is `share`; kept where h still has a gradient. */
export function inverseSoftRounding(share: number): number {
  const kept = Math.min(Math.max(share, 0.01), 0.99);
  return -Math.log((HIGH - LOW) / (kept - LOW) - 1);
}

/**
 * Returns the sum of 1 - |2 h - 1|^beta: 0 when all roundings are decided, arXiv:2004.10568, equation 24.
 *
 * @param beta Scalar.
 */
export function undecided(ops: Ops, share: Value, beta: Value): Value {
  const certainty = ops.abs(ops.sub(ops.mul(share, 2), 1));
  // As exp(beta log x): Pow is many times slower.
  const power = ops.exp(ops.mul(ops.log(ops.max(certainty, 1e-4)), beta));
  return ops.reduceSum(ops.sub(1, power), { keepDims: false });
}
