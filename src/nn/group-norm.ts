/** Normalizations of each example by itself, channel by channel or in groups of channels. */
import type { Layer, Ops } from "../build/index.ts";
import { ShapeError } from "../errors.ts";
import type { Value } from "../program/index.ts";
import { assertCount, assertLeastRank, knownLength, layerLabel } from "./check-input.ts";
import { ones, zeros } from "./initializers.ts";

/** How an instance norm is made. */
export interface InstanceNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly epsilon?: number;
  /** Whether the result is scaled and shifted by parameters. Default false, as in PyTorch. */
  readonly affine?: boolean;
}

/**
 * Normalizes each channel of each example over its places.
 *
 * Shapes: x [batch, channels, ...spatial] -> y as x; `weight`, `bias` [channels]: torch.nn.InstanceNorm1d to 3d, without
 * running statistics.
 *
 * @throws ShapeError when built, if x has no spatial axes.
 * @see Ulyanov, Vedaldi, Lempitsky 2016, "Instance Normalization", arXiv:1607.08022
 * @example
 * const normalized = nn.instanceNorm({ affine: true });
 */
export function instanceNorm({ epsilon = 1e-5, affine = false }: InstanceNormOptions = {}): Layer {
  return (x, scope) => {
    const label = layerLabel("instanceNorm", scope);
    assertLeastRank(x, 3, "[batch, channels, ...spatial]", label);
    const channels = knownLength(x, 1, "channels", label);
    const weight = affine ? scope.parameter("weight", [channels], ones()) : undefined;
    const bias = affine ? scope.parameter("bias", [channels], zeros()) : undefined;
    return normalizeInstances(scope.ops, x, { channels, epsilon, weight, bias });
  };
}

/** How a group norm is made. */
export interface GroupNormOptions {
  /** Parts that the channels fall into; 1 normalizes all channels together. */
  readonly groups: number;
  /** Added to the variance. Default 1e-5. */
  readonly epsilon?: number;
  /** Whether the result is scaled and shifted by parameters. Default true. */
  readonly affine?: boolean;
}

/**
 * Normalizes each group of channels of each example over its places, then scales and shifts each channel.
 *
 * Shapes: x [batch, channels, ...spatial] -> y as x; `weight`, `bias` [channels]: torch.nn.GroupNorm.
 *
 * @throws ShapeError when built, if x has fewer than two axes, or channels that `groups` does not divide.
 * @see Wu, He 2018, "Group Normalization", arXiv:1803.08494
 * @example
 * const normalized = nn.groupNorm({ groups: 8 });
 */
export function groupNorm({ groups, epsilon = 1e-5, affine = true }: GroupNormOptions): Layer {
  assertCount(groups, "groups", "groupNorm");
  return (x, scope) => {
    const { ops } = scope;
    const label = layerLabel("groupNorm", scope);
    assertLeastRank(x, 2, "[batch, channels, ...spatial]", label);
    const channels = knownLength(x, 1, "channels", label);
    if (channels % groups !== 0) {
      throw new ShapeError(`${label}: channels must be a multiple of groups (${groups}), got ${channels}.`);
    }
    const weight = affine ? scope.parameter("weight", [channels], ones()) : undefined;
    const bias = affine ? scope.parameter("bias", [channels], zeros()) : undefined;
    // A group's channels and places as the places of one channel: faster than GroupNormalization, which ONNX Runtime takes apart.
    const grouped = ops.reshape(x, [0, groups, -1]);
    const y = restoreShape(ops, normalizeInstances(ops, grouped, { channels: groups, epsilon }), x);
    if (!weight || !bias) return y;
    const shape = [channels, ...x.shape!.slice(2).map(() => 1)];
    return ops.add(ops.mul(y, ops.reshape(weight, shape)), ops.reshape(bias, shape));
  };
}

interface InstanceSettings {
  readonly channels: number;
  readonly epsilon: number;
  readonly weight?: Value | undefined;
  readonly bias?: Value | undefined;
}

function normalizeInstances(ops: Ops, x: Value, { channels, epsilon, weight, bias }: InstanceSettings): Value {
  const scale = weight ?? ops.full([channels], 1, x.dtype);
  const shift = bias ?? ops.full([channels], 0, x.dtype);
  return ops.emit("InstanceNormalization", [x, scale, shift], { epsilon: { float: epsilon } });
}

/** The shape of `like`, whose batch may be open until the program runs. */
function restoreShape(ops: Ops, x: Value, like: Value): Value {
  return ops.reshape(
    x,
    like.shape!.map((length, axis) => (typeof length === "number" ? length : axis === 0 ? 0 : -1)),
  );
}
