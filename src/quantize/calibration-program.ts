/** The model with statistics as its outputs: reductions run inside ONNX Runtime, activations never leave it whole. */
import { cloneProgram, Emitter, type Program, Value } from "../program/index.ts";
import { float32, int64 } from "../tensor/index.ts";

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
  /** Values of each channel to sample: from each feature map, or from each batch of rows. At least 1. */
  readonly positions: number;
}

/** Names of the outputs that carry one request's statistics. */
export interface StatisticsOutputs {
  readonly request: StatisticsRequest;
  readonly size: string;
  readonly channelMean: string;
  /** Sampled values, [before, channels, after]. */
  readonly samples: string;
  readonly channelMin?: string;
  readonly channelMax?: string;
  /** Sum of |x - mean| and of (x - mean)^2 over the batch's tensor. */
  readonly absolute?: string;
  readonly square?: string;
  readonly channelAbsolute?: string;
  readonly channelSquare?: string;
}

/** Name of the extra input: where to sample, for the i-th position i plus a uniform number in [0, 1). */
export const POSITIONS_INPUT = "modicum.positions";

/** Most positions a request may ask for, and the length of that input. */
export const MAXIMUM_POSITIONS = 1024;

/**
 * Copies a program and makes the requested statistics its only outputs.
 *
 * Every value is viewed as [before, channels, after] around its channel axis; the reductions keep the channels. Sampling
 * picks the same random positions in every channel, by one Gather.
 */
export function calibrationProgram(
  program: Program,
  requests: readonly StatisticsRequest[],
): { program: Program; outputs: StatisticsOutputs[] } {
  const { program: copy, values } = cloneProgram(program);
  const writer = new StatisticsWriter(copy.opset);
  copy.graph.outputs = [];
  const outputs = requests.map((request, index) =>
    writer.write(values.get(request.value)!, request, `modicum.${index}`),
  );
  copy.graph.nodes.push(...writer.emitter.nodes);
  copy.graph.outputs.push(...writer.outputs);
  if (writer.positionsUsed) copy.graph.inputs.push(writer.positions);
  return { program: copy, outputs };
}

class StatisticsWriter {
  readonly emitter = new Emitter();
  readonly outputs: Value[] = [];
  readonly positions = new Value(POSITIONS_INPUT, "float32", [MAXIMUM_POSITIONS]);
  positionsUsed = false;
  readonly #opset: number;

  constructor(opset: number) {
    this.#opset = opset;
  }

  write(value: Value, request: StatisticsRequest, prefix: string): StatisticsOutputs {
    const x = this.#view(value, request.channelAxis, prefix);
    const mean = this.#reduce("ReduceMean", x, [0, 2], `${prefix}.mean`);
    const base = {
      request,
      size: this.#output(this.emitter.emit("Size", [x], { dtype: "int64", shape: [], output: `${prefix}.size` })),
      channelMean: this.#output(mean),
      samples: this.#sample(x, request.positions, placesAxis(value, request.channelAxis), prefix),
    };
    if (request.detail === "inputs") return base;
    const extremes = {
      ...(request.minimum === undefined && {
        channelMin: this.#output(this.#reduce("ReduceMin", x, [0, 2], `${prefix}.min`)),
      }),
      channelMax: this.#output(this.#reduce("ReduceMax", x, [0, 2], `${prefix}.max`)),
    };
    if (!request.exact) return { ...base, ...extremes };
    const tensorMean = this.#reduce("ReduceMean", mean, [0, 1, 2], `${prefix}.tensorMean`);
    const moments = { ...base, ...extremes, ...this.#deviations(x, tensorMean, [0, 1, 2], prefix) };
    if (request.detail === "tensor") return moments;
    const { absolute, square } = this.#deviations(x, mean, [0, 2], `${prefix}.channel`);
    return { ...moments, channelAbsolute: absolute, channelSquare: square };
  }

  /** [.., channels, ..] as [before, channels, after]. */
  #view(value: Value, channelAxis: number, prefix: string): Value {
    const rank = value.shape!.length;
    const axis = channelAxis < 0 ? channelAxis + rank : channelAxis;
    const channels = value.shape![axis];
    const cast =
      value.dtype === "float32"
        ? value
        : this.emitter.emit("Cast", [value], { attributes: { to: 1 }, dtype: "float32", shape: value.shape });
    const reshape = (lengths: number[]): Value => {
      const shape = this.emitter.constant(`${prefix}.view`, int64(lengths));
      return this.emitter.emit("Reshape", [cast, shape], { output: `${prefix}.x`, dtype: "float32" });
    };
    if (typeof channels === "number") {
      if (axis === rank - 1) return reshape([-1, channels, 1]);
      if (axis === 0) return reshape([1, channels, -1]);
      if (axis === 1) return reshape([0, channels, -1]);
    }
    return this.#flattened(cast, axis, prefix);
  }

  /** The same when the number of channels shows only at run time, or several axes lie on both sides. */
  #flattened(x: Value, axis: number, prefix: string): Value {
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
    return this.emitter.emit("Reshape", [x, shape], { output: `${prefix}.x`, dtype: "float32" });
  }

  /** Abs and Mul before ReduceSum: ReduceL1 and ReduceSumSquare are three times slower, and less exact. */
  #deviations(x: Value, mean: Value, axes: number[], prefix: string): { absolute: string; square: string } {
    const deviation = this.emitter.emit("Sub", [x, mean]);
    const absolute = this.emitter.emit("Abs", [deviation]);
    const square = this.emitter.emit("Mul", [deviation, deviation]);
    return {
      absolute: this.#output(this.#reduce("ReduceSum", absolute, axes, `${prefix}.absolute`)),
      square: this.#output(this.#reduce("ReduceSum", square, axes, `${prefix}.square`)),
    };
  }

  /**
   * Picks positions along the axis beside the channels: rows of a matrix, or places of a feature map. One from each of equal
   * stretches, so that an axis of no more than `positions` is taken whole.
   */
  #sample(x: Value, positions: number, placesAxis: 0 | 2, prefix: string): string {
    this.positionsUsed = true;
    const lengths = this.emitter.emit("Shape", [x]);
    const count = this.emitter.emit("Gather", [lengths, this.emitter.constant("modicum.axis", int64([placesAxis]))]);
    const first = this.emitter.constant("modicum.first", int64([0]));
    const most = this.emitter.constant("modicum.count", int64([Math.min(positions, MAXIMUM_POSITIONS)]));
    const wanted = this.emitter.emit("Min", [count, most]);
    const chosen = this.emitter.emit("Slice", [this.positions, first, wanted]);
    const [counted, taken] = [count, wanted].map((x) => this.emitter.emit("Cast", [x], { attributes: { to: 1 } }));
    const scaled = this.emitter.emit("Mul", [chosen, this.emitter.emit("Div", [counted, taken])]);
    const floored = this.emitter.emit("Cast", [this.emitter.emit("Floor", [scaled])], { attributes: { to: 7 } });
    // Float32 may round a position just below the end up to it.
    const last = this.emitter.emit("Sub", [count, this.emitter.constant("modicum.one", int64([1]))]);
    const index = this.emitter.emit("Min", [floored, last]);
    const attributes = { axis: placesAxis };
    return this.#output(
      this.emitter.emit("Gather", [x, index], { attributes, output: `${prefix}.samples`, dtype: "float32" }),
    );
  }

  /** A reduction that keeps its axes; they became an input with opset 18, for ReduceSum with 13. */
  #reduce(operator: string, x: Value, axes: number[], output: string): Value {
    const base = { output, dtype: "float32" as const };
    const attribute = this.#opset < (operator === "ReduceSum" ? 13 : 18);
    if (attribute) return this.emitter.emit(operator, [x], { ...base, attributes: { axes, keepdims: 1 } });
    const axesInput = this.emitter.constant("modicum.axes", int64(axes));
    return this.emitter.emit(operator, [x, axesInput], { ...base, attributes: { keepdims: 1 } });
  }

  #output(value: Value): string {
    this.outputs.push(value);
    return value.name;
  }
}

function placesAxis(value: Value, channelAxis: number): 0 | 2 {
  return channelAxis === -1 || channelAxis === value.shape!.length - 1 ? 0 : 2;
}

/** Returns the sampling positions to feed, drawn anew for every batch. */
export function positionsTensor(uniform: () => number): ReturnType<typeof float32> {
  return float32(
    [MAXIMUM_POSITIONS],
    Float32Array.from({ length: MAXIMUM_POSITIONS }, (_, i) => i + uniform()),
  );
}
