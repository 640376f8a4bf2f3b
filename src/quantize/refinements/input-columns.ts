/** The inputs that a layer's weights meet, as columns of a matrix: what its products are products with. */
import type { Layer } from "../../prepare/index.ts";
import { constantSize, type Emitter, type Value } from "../../program/index.ts";
import { dtypeCode, float32, int64 } from "../../tensor/index.ts";

const INT64 = dtypeCode("int64");
const FLOAT32 = dtypeCode("float32");

/** Name of the extra input: where to sample, for the i-th place i plus a uniform number in [0, 1). */
export const PLACES_INPUT = "modicum.places";

/** Places of a feature map that are sampled, at most. */
export const MOST_PLACES = 256;

/** The sizes of a layer's products: groups of `outputs x inputs` matrices. */
export interface ProductSizes {
  readonly groups: number;
  /** Of a group. */
  readonly outputs: number;
  /** Weights that an output of a group sums over. */
  readonly inputs: number;
}

/** Returns the sizes of a layer's products. */
export function productSizes({ weight, groups, outputChannelAxis }: Layer): ProductSizes {
  const constant = weight.constant!;
  const outputs = constant.shape[outputChannelAxis]!;
  return { groups, outputs: outputs / groups, inputs: constantSize(constant) / outputs };
}

/**
 * Emits nodes that give the inputs of a layer's products, [groups, inputs, samples], for each of some values in the place of
 * its input: all rows of a matrix; of feature maps the windows at some places, the same in every picture and for all values.
 */
export function inputColumns(values: readonly Value[], layer: Layer, emitter: Emitter, places: Value): Value[] {
  if (layer.spatialRank === 0) return values.map((value) => rowsAsColumns(value, layer, emitter));
  const writer = new WindowWriter(layer, values[0]!, emitter, places);
  return values.map((value) => writer.columns(value));
}

function rowsAsColumns(value: Value, layer: Layer, emitter: Emitter): Value {
  const { inputs } = productSizes(layer);
  const rows = emitter.emit("Reshape", [value, emitter.constant("rows", int64([-1, inputs]))]);
  const columns = emitter.emit("Transpose", [rows], { attributes: { perm: [1, 0] } });
  return emitter.emit("Reshape", [columns, emitter.constant("group", int64([1, inputs, -1]))], { dtype: "float32" });
}

/**
 * Windows by one Gather: of the padded map with its places in one axis, at `sum_a (place_a stride_a + tap_a dilation_a) *
 * (length of what lies behind axis a)`. Lengths are those at run time.
 */
class WindowWriter {
  readonly #layer: Layer;
  readonly #emitter: Emitter;
  readonly #kernel: readonly number[];
  readonly #pads: Value;
  readonly #at: Value;

  constructor(layer: Layer, like: Value, emitter: Emitter, places: Value) {
    this.#layer = layer;
    this.#emitter = emitter;
    this.#kernel = layer.weight.constant!.shape.slice(2);
    const lengths = this.#spatial(like);
    const { strides, dilations } = this.#steps();
    const reach = this.#numbers(this.#kernel.map((taps, axis) => (taps - 1) * dilations[axis]! + 1));
    const [begins, ends] = this.#padding(lengths, strides, reach);
    const padded = this.#sum(lengths, this.#sum(begins, ends));
    const one = this.#numbers([1]);
    const free = this.#emit("Sub", padded, reach);
    const counts = this.#sum(this.#emit("Div", free, this.#numbers(strides)), one);
    const none = this.#numbers([0, 0]);
    this.#pads = emitter.emit("Concat", [none, begins, none, ends], { attributes: { axis: 0 } });
    this.#at = this.#indices(padded, counts, places);
  }

  columns(value: Value): Value {
    const { groups } = this.#layer;
    const { inputs } = productSizes(this.#layer);
    const taps = this.#kernel.reduce((a, b) => a * b, 1);
    const channels = (inputs / taps) * groups;
    const padded = this.#emit("Pad", value, this.#pads);
    const flat = this.#emit("Reshape", padded, this.#numbers([0, channels, -1]));
    const windows = this.#emitter.emit("Gather", [flat, this.#at], { attributes: { axis: 2 } });
    const columns = this.#emitter.emit("Transpose", [windows], { attributes: { perm: [1, 2, 0, 3] } });
    return this.#emitter.emit("Reshape", [columns, this.#numbers([groups, inputs, -1])], { dtype: "float32" });
  }

  /** Begins and ends of the padding, whichever way the node gives them. */
  #padding(lengths: Value, strides: readonly number[], reach: Value): [Value, Value] {
    const { node } = this.#layer;
    const rank = this.#kernel.length;
    const mode = node.string("auto_pad", "NOTSET");
    if (!mode.startsWith("SAME")) {
      const pads = (mode !== "VALID" && node.ints("pads")) || new Array<number>(2 * rank).fill(0);
      return [this.#numbers(pads.slice(0, rank)), this.#numbers(pads.slice(rank))];
    }
    const one = this.#numbers([1]);
    const steps = this.#emit("Div", this.#emit("Sub", lengths, one), this.#numbers(strides));
    const covered = this.#sum(this.#emit("Mul", steps, this.#numbers(strides)), reach);
    const total = this.#emit("Max", this.#emit("Sub", covered, lengths), this.#numbers([0]));
    const less = this.#emit("Div", total, this.#numbers([2]));
    const more = this.#emit("Sub", total, less);
    return mode === "SAME_UPPER" ? [less, more] : [more, less];
  }

  /** Where in the padded map each tap of the window at each chosen place is, [taps, places]. */
  #indices(padded: Value, counts: Value, places: Value): Value {
    const { strides, dilations } = this.#steps();
    let rest = this.#chosen(counts, places);
    const coordinates = this.#kernel.map((): Value => rest);
    for (let axis = this.#kernel.length - 1; axis >= 0; axis--) {
      const count = this.#entry(counts, axis);
      coordinates[axis] = this.#emit("Mod", rest, count);
      rest = this.#emit("Div", rest, count);
    }
    let at: Value | undefined;
    for (const [axis, taps] of tapsOf(this.#kernel).entries()) {
      const column = int64(
        taps.map((tap) => tap * dilations[axis]!),
        [taps.length, 1],
      );
      const moved = this.#emit("Mul", coordinates[axis]!, this.#numbers([strides[axis]!]));
      const along = this.#sum(this.#emitter.constant("taps", column), moved);
      at = at ? this.#sum(this.#emit("Mul", at, this.#entry(padded, axis)), along) : along;
    }
    return at!;
  }

  /** Numbers of the chosen places: one from each of equal stretches, all where there are few. */
  #chosen(counts: Value, places: Value): Value {
    const count = this.#emitter.emit("ReduceProd", [counts], { attributes: { keepdims: 1 } });
    const wanted = this.#emit("Min", count, this.#numbers([MOST_PLACES]));
    const chosen = this.#emitter.emit("Slice", [places, this.#numbers([0]), wanted]);
    const [all, taken] = [count, wanted].map((one) => this.#cast(one, FLOAT32));
    const scaled = this.#emit("Mul", chosen, this.#emit("Div", all!, taken!));
    // Float32 may round a place just below the end up to it.
    const last = this.#emit("Sub", count, this.#numbers([1]));
    return this.#emit("Min", this.#cast(this.#emitter.emit("Floor", [scaled]), INT64), last);
  }

  #steps(): { strides: readonly number[]; dilations: readonly number[] } {
    const { node } = this.#layer;
    const ones = this.#kernel.map(() => 1);
    return { strides: node.ints("strides") ?? ones, dilations: node.ints("dilations") ?? ones };
  }

  #spatial(value: Value): Value {
    const end = this.#numbers([Number.MAX_SAFE_INTEGER]);
    return this.#emitter.emit("Slice", [this.#emitter.emit("Shape", [value]), this.#numbers([2]), end]);
  }

  #entry(vector: Value, axis: number): Value {
    return this.#emit("Gather", vector, this.#numbers([axis]));
  }

  #sum(a: Value, b: Value): Value {
    return this.#emit("Add", a, b);
  }

  #emit(operator: string, a: Value, b: Value): Value {
    return this.#emitter.emit(operator, [a, b]);
  }

  #cast(value: Value, to: number): Value {
    return this.#emitter.emit("Cast", [value], { attributes: { to } });
  }

  #numbers(numbers: readonly number[]): Value {
    return this.#emitter.constant("numbers", int64([...numbers]));
  }
}

/** For each axis of a kernel, the coordinate of every tap in row-major order. */
function tapsOf(kernel: readonly number[]): number[][] {
  const count = kernel.reduce((a, b) => a * b, 1);
  return kernel.map((length, axis) => {
    const behind = kernel.slice(axis + 1).reduce((a, b) => a * b, 1);
    return Array.from({ length: count }, (_, tap) => Math.floor(tap / behind) % length);
  });
}

/** Returns the places to feed, drawn anew for every batch. */
export function placesTensor(uniform: () => number): ReturnType<typeof float32> {
  return float32(
    [MOST_PLACES],
    Float32Array.from({ length: MOST_PLACES }, (_, i) => i + uniform()),
  );
}
