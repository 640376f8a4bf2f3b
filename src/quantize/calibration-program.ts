/** The model with statistics as its output: reductions run inside ONNX Runtime, activations never leave it whole. */
import { cloneProgram, Emitter, type Program, Value } from "../program/index.ts";
import { dtypeCode, elementCount, float32, int64, Tensor } from "../tensor/index.ts";

const FLOAT32 = dtypeCode("float32");
const INT64 = dtypeCode("int64");

/** A value whose statistics are wanted. */
export interface StatisticsRequest {
  readonly value: Value;
  /** Axis of the channels: 1 for convolutions, the last for matrix products. Negative counts from the end. */
  readonly channelAxis: number;
  /**
   * "inputs": mean and variance of each channel. "tensor": minimum, maximum and moments of the tensor too. "channel": those of
   * each channel too.
   */
  readonly detail: "inputs" | "tensor" | "channel";
  /**
   * Whether b = mean|x - mean| and the variance are taken over all values. Otherwise, at a third of the cost, over the sampled
   * ones; minimum, maximum and means are always over all.
   */
  readonly exact: boolean;
  /** A bound that the values are known to reach, so that their minimum need not be searched: 0 behind a ReLU. */
  readonly minimum?: number | undefined;
  /** Whether the statistics of the tensor are of its channels, each divided by its own number (`channelScalesFor`). */
  readonly scaled?: boolean;
  /** Values of each channel to sample: from each feature map, or from each batch of rows. At least 1. */
  readonly positions: number;
}

/** What one batch adds to a request; what the request does not ask for is undefined. */
export interface BatchStatistics {
  /** Values in the batch. */
  readonly count: number;
  /** Sampled values, [before, channels, after]. */
  readonly samples: Tensor;
  /** By channel. */
  readonly mean: Float32Array;
  readonly min: Float32Array | undefined;
  readonly max: Float32Array | undefined;
  /** Sum of |x - mean| and of (x - mean)^2 over the batch's tensor: one number. */
  readonly absolute: Float32Array | undefined;
  readonly square: Float32Array | undefined;
  readonly channelAbsolute: Float32Array | undefined;
  readonly channelSquare: Float32Array | undefined;
}

/** Name of the extra input: where to sample, for the i-th position i plus a uniform number in [0, 1). */
export const POSITIONS_INPUT = "modicum.positions";

/** Name of the one output: the statistics of every request, the last request first. */
export const STATISTICS_OUTPUT = "modicum.statistics";

/** Most positions a request may ask for, and the length of that input. */
export const MAXIMUM_POSITIONS = 1024;

/**
 * Copies a program and makes the requested statistics its only output, which `readStatistics` takes apart. There must be at
 * least one request.
 *
 * Every value is viewed as [before, channels, after] around its channel axis; the reductions keep the channels. Sampling
 * picks the same random positions in every channel, by one Gather.
 *
 * One output, because each costs about as much as a small reduction. Of all that an operator reads, ONNX Runtime computes
 * first what stands last in the file; so the last request is written first, and a value's statistics are computed right after
 * the value, which is still in the cache, and its memory is used again. In file order they would take half as long again.
 */
export function calibrationProgram(program: Program, requests: readonly StatisticsRequest[]): Program {
  const { program: copy, values } = cloneProgram(program);
  const writer = new StatisticsWriter(copy.opset);
  const numbers = requests.toReversed().flatMap((request) => writer.write(values.get(request.value)!, request));
  const options = { output: STATISTICS_OUTPUT, dtype: "float32", shape: [null], attributes: { axis: 0 } } as const;
  copy.graph.outputs = [writer.emitter.emit("Concat", numbers, options)];
  copy.graph.nodes.push(...writer.emitter.nodes);
  copy.graph.inputs.push(writer.positions);
  return copy;
}

/** Returns what one run of a calibration program found, one entry per request. */
export function readStatistics(output: Tensor, requests: readonly StatisticsRequest[]): BatchStatistics[] {
  const numbers = output.data as Float32Array;
  let at = 0;
  const take = (length: number): Float32Array => {
    at += length;
    return numbers.subarray(at - length, at);
  };
  const read = (request: StatisticsRequest): BatchStatistics => {
    const { detail, exact, minimum } = request;
    const lengths = Array.from(take(3));
    const axis = placesAxis(request);
    const sampled = lengths.with(axis, Math.min(lengths[axis]!, positionsOf(request)));
    const channels = lengths[1]!;
    const full = detail !== "inputs";
    const ofTensor = (): Float32Array | undefined => (full && exact ? take(1) : undefined);
    const ofChannels = (wanted: boolean): Float32Array | undefined => (wanted ? take(channels) : undefined);
    // In the order in which StatisticsWriter writes them.
    return {
      count: elementCount(lengths),
      samples: new Tensor("float32", sampled, take(elementCount(sampled))),
      mean: take(channels),
      min: ofChannels(full && minimum === undefined),
      max: ofChannels(full),
      absolute: ofTensor(),
      square: ofTensor(),
      channelAbsolute: ofChannels(exact && detail === "channel"),
      channelSquare: ofChannels(exact && detail === "channel"),
    };
  };
  return requests.toReversed().map(read).reverse();
}

class StatisticsWriter {
  readonly emitter = new Emitter();
  readonly positions = new Value(POSITIONS_INPUT, "float32", [MAXIMUM_POSITIONS]);
  /** Chosen places, by how many of how many: values of the same size share them. */
  readonly #places = new Map<string, Value>();
  readonly #opset: number;

  constructor(opset: number) {
    this.#opset = opset;
  }

  /** Returns the statistics of a value as vectors. */
  write(value: Value, request: StatisticsRequest): Value[] {
    const x = this.#view(value, request.channelAxis);
    // Lengths above 2^24 lose digits in float32; only the count of a tensor with such an axis is then off, by 6e-8.
    const lengths = this.#cast(this.emitter.emit("Shape", [x]), FLOAT32);
    const base = [lengths, this.#flat(this.#sample(x, value, request)), this.#perChannel("ReduceMean", x)];
    if (request.detail === "inputs") return base;
    const min = request.minimum === undefined ? [this.#perChannel("ReduceMin", x)] : [];
    const extremes = [...base, ...min, this.#perChannel("ReduceMax", x)];
    if (!request.exact) return extremes;
    const mean = this.#reduce("ReduceMean", x, [0, 2]);
    const tensorMean = this.#reduce("ReduceMean", mean, [0, 1, 2]);
    const moments = [...extremes, ...this.#deviations(x, tensorMean, [0, 1, 2])];
    return request.detail === "tensor" ? moments : [...moments, ...this.#deviations(x, mean, [0, 2])];
  }

  /** [.., channels, ..] as [before, channels, after]. */
  #view(value: Value, channelAxis: number): Value {
    const rank = value.shape!.length;
    const axis = channelAxis < 0 ? channelAxis + rank : channelAxis;
    const channels = value.shape![axis];
    const cast =
      value.dtype === "float32"
        ? value
        : this.emitter.emit("Cast", [value], { attributes: { to: FLOAT32 }, dtype: "float32", shape: value.shape });
    const reshape = (lengths: number[]): Value => {
      const shape = this.emitter.constant("modicum.view", int64(lengths));
      return this.emitter.emit("Reshape", [cast, shape], { dtype: "float32" });
    };
    if (typeof channels === "number") {
      if (axis === rank - 1) return reshape([-1, channels, 1]);
      if (axis === 0) return reshape([1, channels, -1]);
      if (axis === 1) return reshape([0, channels, -1]);
    }
    return this.#flattened(cast, axis);
  }

  /** The same when the number of channels shows only at run time, or several axes lie on both sides. */
  #flattened(x: Value, axis: number): Value {
    const start = this.emitter.constant("modicum.start", int64([0]));
    const [from, to] = [axis, axis + 1].map((at) => this.emitter.constant("modicum.at", int64([at])));
    const end = this.emitter.constant("modicum.end", int64([Number.MAX_SAFE_INTEGER]));
    const lengths = this.emitter.emit("Shape", [x]);
    const product = (first: Value, last: Value): Value =>
      this.emitter.emit("ReduceProd", [this.emitter.emit("Slice", [lengths, first, last])], {
        attributes: { keepdims: 1 },
      });
    const channels = this.emitter.emit("Slice", [lengths, from, to]);
    const shape = this.emitter.emit("Concat", [product(start, from!), channels, product(to!, end)], {
      attributes: { axis: 0 },
    });
    return this.emitter.emit("Reshape", [x, shape], { dtype: "float32" });
  }

  /** Abs and Mul before ReduceSum: ReduceL1 and ReduceSumSquare are three times slower, and less exact. */
  #deviations(x: Value, mean: Value, axes: number[]): Value[] {
    const deviation = this.emitter.emit("Sub", [x, mean]);
    const absolute = this.emitter.emit("Abs", [deviation]);
    const square = this.emitter.emit("Mul", [deviation, deviation]);
    return [absolute, square].map((each) => this.#flat(this.#reduce("ReduceSum", each, axes)));
  }

  #sample(x: Value, value: Value, request: StatisticsRequest): Value {
    const axis = placesAxis(request);
    const places = axis === 2 ? lengthAfter(value, request.channelAxis) : undefined;
    return this.emitter.emit("Gather", [x, this.#chosenPlaces(x, axis, places, positionsOf(request))], {
      attributes: { axis },
      dtype: "float32",
    });
  }

  /**
   * Picks positions along the axis beside the channels: rows of a matrix, or places of a feature map. One from each of equal
   * stretches, so that an axis of no more than `positions` is taken whole.
   *
   * @param length The axis' length where it is known.
   */
  #chosenPlaces(x: Value, axis: number, length: number | undefined, positions: number): Value {
    const key = `${positions} of ${length}`;
    const known = length !== undefined && this.#places.get(key);
    if (known) return known;
    const count =
      length === undefined
        ? this.emitter.emit("Gather", [
            this.emitter.emit("Shape", [x]),
            this.emitter.constant("modicum.axis", int64([axis])),
          ])
        : this.emitter.constant("modicum.length", int64([length]));
    const first = this.emitter.constant("modicum.first", int64([0]));
    const most = this.emitter.constant("modicum.count", int64([positions]));
    const wanted = this.emitter.emit("Min", [count, most]);
    const chosen = this.emitter.emit("Slice", [this.positions, first, wanted]);
    const [counted, taken] = [count, wanted].map((each) => this.#cast(each, FLOAT32));
    const scaled = this.emitter.emit("Mul", [chosen, this.emitter.emit("Div", [counted, taken])]);
    const floored = this.#cast(this.emitter.emit("Floor", [scaled]), INT64);
    // Float32 may round a position just below the end up to it.
    const last = this.emitter.emit("Sub", [count, this.emitter.constant("modicum.one", int64([1]))]);
    const places = this.emitter.emit("Min", [floored, last]);
    if (length !== undefined) this.#places.set(key, places);
    return places;
  }

  /** A reduction to a vector of the channels. */
  #perChannel(operator: string, x: Value): Value {
    return this.#reduce(operator, x, [0, 2], 0);
  }

  /** Axes became an input with opset 18, for ReduceSum with 13. */
  #reduce(operator: string, x: Value, axes: number[], keepdims: 0 | 1 = 1): Value {
    const attribute = this.#opset < (operator === "ReduceSum" ? 13 : 18);
    if (attribute) return this.emitter.emit(operator, [x], { dtype: "float32", attributes: { axes, keepdims } });
    const axesInput = this.emitter.constant("modicum.axes", int64(axes));
    return this.emitter.emit(operator, [x, axesInput], { dtype: "float32", attributes: { keepdims } });
  }

  #cast(x: Value, to: number): Value {
    return this.emitter.emit("Cast", [x], { attributes: { to } });
  }

  #flat(x: Value): Value {
    return this.emitter.emit("Reshape", [x, this.emitter.constant("modicum.flat", int64([-1]))]);
  }
}

/** Axis of the view along which positions are sampled: before the channels when these come last, else after them. */
function placesAxis({ value, channelAxis }: StatisticsRequest): 0 | 2 {
  return channelAxis === -1 || channelAxis === value.shape!.length - 1 ? 0 : 2;
}

/** Elements behind the channel axis for each channel, where the value's shape says. */
function lengthAfter({ shape }: Value, channelAxis: number): number | undefined {
  const lengths = shape!.slice(channelAxis + 1);
  return lengths.every((length) => typeof length === "number") ? elementCount(lengths) : undefined;
}

function positionsOf({ positions }: StatisticsRequest): number {
  return Math.min(positions, MAXIMUM_POSITIONS);
}

/** Returns the sampling positions to feed, drawn anew for every batch. */
export function positionsTensor(uniform: () => number): ReturnType<typeof float32> {
  return float32(
    [MAXIMUM_POSITIONS],
    Float32Array.from({ length: MAXIMUM_POSITIONS }, (_, i) => i + uniform()),
  );
}
