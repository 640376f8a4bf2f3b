/** Weights as directions and lengths: weight normalization, and its bounded forms. */
import type { Layer, Ops, VariableDeclaration, VariableSource } from "../build/index.ts";
import { OptionError } from "../errors.ts";
import { constantValue, type Value } from "../program/index.ts";
import type { Tensor } from "../tensor/index.ts";
import { toNumbers } from "../tensor/index.ts";
import {
  type ChannelAxis,
  channelDirections,
  channelNormsOf,
  type NormExponent,
  withChannelLengths,
} from "./channel-norm.ts";
import { layerLabel } from "./check-input.ts";

/** Which weights are normalized, and by which norm. */
export interface WeightNormOptions {
  /** 1: sum of absolute values, 2: Euclidean norm, "inf": largest absolute value. Default 2. */
  readonly p?: NormExponent;
  /** Whether the parameter at this path is normalized. Default: every parameter with two or more axes. */
  readonly match?: (path: string, shape: readonly number[]) => boolean;
  /**
   * Axis of the output channels, or one for each path. Default 0, as in convolutions, linear and recurrent layers; transposed
   * convolutions have 1, and so have matrices [inputs, outputs] of imported models (`outputAxisOf`).
   */
  readonly axis?: number | ((path: string) => number);
}

/** How weights are normalized and bounded. */
export interface BoundedWeightNormOptions extends WeightNormOptions {
  /**
   * "fixed": all channels of a layer have one length that never changes. "learned": channels share a fixed total, and how
   * is learned. Default "fixed".
   */
  readonly gains?: "fixed" | "learned";
}

/**
 * Weight normalization of all layers inside a layer: w_i = g_i v_i / ||v_i||_p for each output channel i, with learned v and g.
 *
 * The weight's path holds v, with g beside it as `<path>.gain` [channels]. g starts as ||v_i||_p, so that w starts as the
 * initializer, or the imported model, has it. What is exported are plain weights.
 *
 * @param layer Any: a convolution, a whole network, an imported model's `layer()`.
 * @throws OptionError when built, if no parameter matches or the axis is none of its axes.
 * @see Salimans, Kingma 2016, "Weight Normalization", arXiv:1602.07868
 * @example
 * const hidden = nn.weightNorm(nn.sequential([nn.linear(64), nn.relu(), nn.linear(64)]));
 */
export function weightNorm(layer: Layer, options: WeightNormOptions = {}): Layer {
  return normalizingWeights(layer, "weightNorm", options, (weight) =>
    weight.withLengths(weight.variable("gain", "parameter", ({ norms }) => norms)),
  );
}

/**
 * Bounded weight normalization of all layers inside a layer: w_i = rho v_i / ||v_i||_p for each output channel i, where rho
 * = ||V_0||_F / sqrt(channels) is what the layer starts with (for other p, the root mean square of the channels' norms).
 *
 * With learned gains, w_i = rho_total (g_i / ||g||_2) v_i / ||v_i||_p, rho_total = ||V_0||_F, and w starts as V_0.
 *
 * The weight's path holds v; `<path>.radius` holds rho or rho_total, which no step changes, and `<path>.gain` g. The gradient
 * of v is (rho / ||v||) (I - v^ v^T) dw for p = 2: orthogonal to v, so that ||v|| grows unless `optim.projected` holds it. Weight
 * decay of v acts on nothing but its length: leave it off. A channel that is zero stays zero. What is exported are plain weights.
 *
 * @param layer Any: a convolution, a whole network, an imported model's `layer()`. Leave the last layer of a classifier out: its
 *   scores need a scale of their own.
 * @throws OptionError when built, if no parameter matches or the axis is none of its axes.
 * @see Hoffer, Banner, Golan, Soudry 2018, "Norm matters", arXiv:1803.01814, section 4; gains as in its reference code
 * @example
 * const body = nn.boundedWeightNorm(nn.sequential([nn.conv({ channels: 16, kernel: 3 }), nn.relu()]));
 */
export function boundedWeightNorm(layer: Layer, options: BoundedWeightNormOptions = {}): Layer {
  const { gains = "fixed" } = options;
  return normalizingWeights(layer, "boundedWeightNorm", options, (weight) => {
    if (gains === "fixed") {
      const radius = weight.variable("radius", "statistic", ({ norms }) => [
        Math.hypot(...norms) / Math.sqrt(norms.length),
      ]);
      return weight.withLengths(radius);
    }
    const gain = weight.variable("gain", "parameter", ({ norms }) => norms);
    const total = weight.variable("radius", "statistic", ({ norms }) => [Math.hypot(...norms)]);
    return weight.withLengths(total, gain);
  });
}

/** What a weight's variables start from. */
interface WeightStart {
  /** Norm of each channel. */
  readonly norms: readonly number[];
}

/** A weight that is being normalized. */
interface NormalizedWeight {
  /** Declares a variable beside the weight: a number for each channel if it is a parameter, one if it is a statistic. */
  variable(name: string, role: "parameter" | "statistic", start: (weight: WeightStart) => ArrayLike<number>): Value;
  /** Returns the weight whose channels have these lengths; with shares, lengths times shares / ||shares||_2. */
  withLengths(lengths: Value, shares?: Value): Value;
}

/** The layer, with every matching parameter replaced by what `write` makes of it: the scope's variables are intercepted. */
function normalizingWeights(
  layer: Layer,
  name: string,
  { p = 2, match = (_, shape) => shape.length >= 2, axis = 0 }: WeightNormOptions,
  write: (weight: NormalizedWeight) => Value,
): Layer {
  return (x, scope) => {
    const { variables } = scope.settings;
    const constants = new Map<string, Value>();
    const seen: string[] = [];
    let isMatched = false;
    const source: VariableSource = {
      declare(path, declaration) {
        const v = variables.declare(path, declaration);
        if (declaration.role !== "parameter") return v;
        seen.push(path);
        if (!match(path, declaration.shape)) return v;
        isMatched = true;
        const channels = { p, axis: typeof axis === "number" ? axis : axis(path) };
        const label = layerLabel(name, scope);
        assertAxis(channels.axis, { path, shape: declaration.shape, label });
        const known = constants.get(path);
        if (known) return known;
        const ops = scope.ops.at(path);
        const w = write(weightOf({ ops, variables, v, path, declaration, channels }));
        if (w.constant) constants.set(path, w);
        return w;
      },
      update: (path, next) => variables.update(path, next),
    };
    const y = layer(x, scope.with({ variables: source }));
    if (isMatched) return y;
    throw new OptionError(
      `${layerLabel(name, scope)}: a parameter with two or more axes must match, got none among ${seen.join(", ") || "none"}.`,
    );
  };
}

interface WeightParts {
  readonly ops: Ops;
  readonly variables: VariableSource;
  readonly v: Value;
  readonly path: string;
  readonly declaration: VariableDeclaration;
  readonly channels: ChannelAxis;
}

function weightOf({ ops, variables, v, path, declaration, channels }: WeightParts): NormalizedWeight {
  const { shape, dtype } = declaration;
  const count = shape[channels.axis]!;
  const alongAxis = shape.map((_, axis) => (axis === channels.axis ? count : 1));
  const perChannel = (value: Value): Value => (value.shape?.length === 0 ? value : ops.reshape(value, alongAxis));
  return {
    variable: (name, role, start) =>
      variables.declare(`${path}.${name}`, {
        shape: role === "parameter" ? [count] : [],
        dtype,
        role,
        initial: { from: path, numbers: (tensor) => start({ norms: [...channelNormsOf(tensor, channels)] }) },
      }),
    withLengths(lengths, shares) {
      // Exported: numbers, so that the file has the weight and not how it came about.
      if (v.constant && lengths.constant && (!shares || shares.constant)) {
        const numbers = plainLengths(lengths.constant.load(), shares?.constant?.load(), count);
        return constantValue(path, withChannelLengths(v.constant.load(), numbers, channels));
      }
      const direction = channelDirections(ops, v, channels);
      const scaled = shares
        ? ops.mul(lengths, channelDirections(ops, ops.reshape(shares, [1, count]), { p: 2, axis: 0 }))
        : lengths;
      return ops.mul(direction, perChannel(scaled));
    },
  };
}

function plainLengths(lengths: Tensor, shares: Tensor | undefined, count: number): number[] {
  const given = toNumbers(lengths);
  const parts = shares ? toNumbers(shares) : new Float64Array(count).fill(1);
  const norm = shares ? Math.hypot(...parts) || 1 : 1;
  return Array.from({ length: count }, (_, c) => (given[given.length === 1 ? 0 : c]! * parts[c]!) / norm);
}

function assertAxis(
  axis: number,
  { path, shape, label }: { readonly path: string; readonly shape: readonly number[]; readonly label: string },
): void {
  if (shape.length >= 2 && Number.isInteger(axis) && axis >= 0 && axis < shape.length) return;
  throw new OptionError(
    `${label}: a normalized parameter must have two or more axes, one of them the channels' axis, got axis ${axis} of ` +
      `"${path}" [${shape.join(", ")}].`,
  );
}
