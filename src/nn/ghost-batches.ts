/** Parts of a batch that are normalized by their own statistics, and the whole batch as one of them. */
import type { Ops } from "../build/index.ts";
import type { Value } from "../program/index.ts";
import { elementCount, int64 } from "../tensor/index.ts";

/** Operators of our own domain. */
const OWN = { domain: "modicum" };

/**
 * Reads and writes the numbers of channels in equal parts ("ghost batches") of a batch, as one pass over memory each.
 *
 * A view of x has its memory and another shape: x itself for one part; [1, batch channels, ...spatial] for several, so that an
 * operator on channels sees those of each example; [groups, samples, channels] where there are no places. Statistics have shape
 * [groups, channels].
 */
export class GhostBatches {
  readonly ops: Ops;
  /** Of x: [batch, channels, ...spatial]. */
  readonly shape: readonly number[];
  /** Ghost batches. */
  readonly groups: number;
  /** Examples in each. */
  readonly samples: number;
  readonly channels: number;
  /** Places of an example. */
  readonly places: number;

  /** @param groups Must divide the batch. */
  constructor(ops: Ops, shape: readonly number[], groups: number) {
    this.ops = ops;
    this.shape = shape;
    this.groups = groups;
    this.samples = shape[0]! / groups;
    this.channels = shape[1]!;
    this.places = elementCount(shape.slice(2));
  }

  /** Numbers of a channel in one ghost batch. */
  get count(): number {
    return this.samples * this.places;
  }

  /** The same batches, written elsewhere in the same graph. */
  at(ops: Ops): GhostBatches {
    return new GhostBatches(ops, this.shape, this.groups);
  }

  view(x: Value): Value {
    return this.ops.reshape(x, this.#viewShape);
  }

  /** The opposite of `view`. */
  restore(view: Value): Value {
    return this.ops.reshape(view, this.shape);
  }

  /** [groups, channels], or [channels] for all groups -> what broadcasts to a view. */
  spread(values: Value): Value {
    const { ops, groups, samples, channels, shape } = this;
    if (groups === 1) return ops.reshape(values, [channels, ...shape.slice(2).map(() => 1)]);
    const own = ops.reshape(values, [-1, 1, channels]);
    if (shape.length === 2) return own;
    const each = ops.expand(own, [groups, samples, channels]);
    return ops.reshape(each, [groups * samples * channels, ...shape.slice(2).map(() => 1)]);
  }

  mean(view: Value): Value {
    return this.#reduced(view, "reduceMean");
  }

  sum(view: Value): Value {
    return this.#reduced(view, "reduceSum");
  }

  center(view: Value, mean: Value): Value {
    return this.ops.sub(view, this.spread(mean));
  }

  /** view scale + offset */
  affine(view: Value, scale: Value, offset: Value): Value {
    const { ops, shape, groups } = this;
    const [slope, shift] = [this.spread(scale), this.spread(offset)];
    if (groups > 1 && shape.length === 2) return ops.add(ops.mul(view, slope), shift);
    return channelAffine(ops, view, slope, shift);
  }

  /** (view - mean) / deviation scale + bias; without mean and bias, view / deviation scale. */
  standardize(view: Value, parts: Standardization): Value {
    const { deviation, scale, mean, bias } = parts;
    const inputs = [deviation, scale, mean, bias].flatMap((part) => (part ? [this.spread(part)] : []));
    return this.ops.emit("Standardize", [view, ...inputs], {}, OWN);
  }

  /** The largest number of each example and channel: [groups, samples, channels]. */
  rowMaxima(view: Value): Value {
    return this.#rows(view, "reduceMax");
  }

  rowMinima(view: Value): Value {
    return this.#rows(view, "reduceMin");
  }

  /** Where the rows of examples of each group and channel begin in memory: samples [groups, channels, k] -> the same shape. */
  rowStarts(samples: Value): Value {
    const { ops, groups, samples: each, channels, places } = this;
    const size = channels * places;
    const group = this.integers([groups, 1, 1], (index) => index * each * size);
    const channel = this.integers([channels, 1], (index) => index * places);
    return ops.add(
      ops.add(
        ops.mul(
          samples,
          this.integers([], () => size),
        ),
        group,
      ),
      channel,
    );
  }

  /** All places of rows: starts [groups, channels, k] -> [groups, channels, k, places]. */
  rowPlaces(starts: Value): Value {
    return this.ops.add(
      this.ops.unsqueeze(starts, [3]),
      this.integers([this.places], (place) => place),
    );
  }

  /** Elements of a view, counted through its memory: places [...] -> [...]. */
  take(view: Value, places: Value): Value {
    return this.ops.emit("TakeElements", [view, places], {}, OWN);
  }

  /** A view with numbers added to elements, counted through its memory; both have one shape. */
  addAt(view: Value, places: Value, numbers: Value): Value {
    return this.ops.emit("AddElements", [view, places, numbers], {}, OWN);
  }

  /** Integers by their index along the first axis longer than 1. */
  integers(shape: readonly number[], of: (index: number) => number): Value {
    return this.ops.constant(
      int64(
        Array.from({ length: elementCount(shape) }, (_, index) => of(index)),
        shape,
      ),
    );
  }

  get #viewShape(): readonly number[] {
    const { shape, groups, samples, channels } = this;
    if (groups === 1) return shape;
    return shape.length === 2 ? [groups, samples, channels] : [1, shape[0]! * channels, ...shape.slice(2)];
  }

  get #spatial(): number[] {
    return this.shape.slice(2).map((_, axis) => axis + 2);
  }

  #reduced(view: Value, reduce: "reduceMean" | "reduceSum"): Value {
    const { ops, groups, channels, shape } = this;
    if (groups === 1) {
      return ops.reshape(ops[reduce](view, { axes: [0, ...this.#spatial], keepDims: false }), [1, channels]);
    }
    const rows = shape.length === 2 ? view : this.#rows(view, reduce);
    return ops[reduce](rows, { axes: [1], keepDims: false });
  }

  #rows(view: Value, reduce: "reduceMax" | "reduceMin" | "reduceMean" | "reduceSum"): Value {
    const { ops, groups, samples, channels } = this;
    const rows = this.shape.length === 2 ? view : ops[reduce](view, { axes: this.#spatial });
    return ops.reshape(rows, [groups, samples, channels]);
  }
}

/** What `standardize` computes with. */
export interface Standardization {
  readonly deviation: Value;
  readonly scale: Value;
  readonly mean?: Value;
  readonly bias?: Value;
}

/** x scale + offset with one number per channel: one pass over memory where Mul and Add would take two. */
export function channelAffine(ops: Ops, x: Value, scale: Value, offset: Value): Value {
  const channels = [elementCount(ops.shapeOf(scale))];
  const [zero, one] = [ops.full(channels, 0, x.dtype), ops.full(channels, 1, x.dtype)];
  const inputs = [x, ops.reshape(scale, channels), ops.reshape(offset, channels), zero, one];
  return ops.emit("BatchNormalization", inputs, { epsilon: { float: 0 } });
}
