import { beforeAll, describe, expect, it } from "vitest";
import { type Attributes, Ops } from "../../build/index.ts";
import { writeModel } from "../../onnx/index.ts";
import { Program, type Value } from "../../program/index.ts";
import type { Runtime } from "../../runtime/index.ts";
import { nodeRuntime } from "../../runtime/node.ts";
import { int64, seededRandom, Tensor, toNumbers } from "../../tensor/index.ts";
import { lowerProgram } from "../lower-program.ts";
import { loweringTarget } from "../lowering-target.ts";
import { NCHWC } from "./nchwc.ts";

type Input = (shape: readonly number[]) => Value;
type Build = (ops: Ops, input: Input, block: number) => readonly Value[];

const modicum = { domain: "modicum" };

/** A convolution and both its gradients, behind a Relu that puts the input into blocks (unless it is a picture). */
function convolution(attributes: Attributes, x: readonly number[], w: readonly number[], shortcut = false): Build {
  return (ops, input, block) => {
    const scaled = (shape: readonly number[]) => shape.map((length) => (length < 0 ? -length * block : length));
    const [shapeX, shapeW] = [scaled(x), scaled(w)];
    const group = attributes.group === -1 ? block : attributes.group;
    const window = { ...attributes, group };
    const from = shapeX[1]! < block ? input(shapeX) : entered(ops, input, shapeX);
    const weight = input(shapeW);
    const y = ops.emit("Conv", [from, weight], window);
    const sum = shortcut ? ops.add(y, input(ops.shapeOf(y))) : y;
    const dy = ops.emit("ReluGradient", [input(ops.shapeOf(y)), ops.relu(sum)], {}, modicum);
    const dx = ops.emit("ConvInputGradient", [dy, weight], { ...window, input_shape: shapeX }, modicum);
    const dw = ops.emit("ConvWeightGradient", [from, dy], { ...window, weight_shape: shapeW }, modicum);
    return [sum, dw, ...(shapeX[1]! < block ? [] : [dx])];
  };
}

/** A value in blocks: what comes out of a 1x1 convolution. */
function entered(ops: Ops, input: Input, shape: readonly number[]): Value {
  const channels = shape[1]!;
  return ops.relu(ops.conv(input(shape), input([channels, channels, 1, 1])));
}

const picture = [2, -1, 5, 4];

/** Functions of one or more blocked values; negative lengths are multiples of the block. */
const onBlocks = (build: (ops: Ops, x: Value, input: Input, block: number) => Value | readonly Value[]): Build => {
  return (ops, input, block) => {
    const shape = picture.map((length) => (length < 0 ? block : length));
    return [build(ops, entered(ops, input, shape), input, block)].flat();
  };
};

const cases: Readonly<Record<string, Build>> = {
  "3x3 convolution": convolution({ pads: [1, 1, 1, 1] }, [-1, -2, 5, 7], [-1, -2, 3, 3]),
  "convolution whose result is added to": convolution({ pads: [1, 1, 1, 1] }, [-1, -1, 6, 6], [-1, -1, 3, 3], true),
  "convolution of a picture": convolution({ pads: [1, 1, 1, 1] }, [-1, 3, 8, 8], [-1, 3, 3, 3]),
  "convolution with strides": convolution({ pads: [1, 1, 1, 1], strides: [2, 2] }, [-1, -1, 8, 6], [-2, -1, 3, 3]),
  "convolution of odd lengths with strides": convolution(
    { pads: [1, 1, 1, 1], strides: [2, 2] },
    [-1, -1, 7, 5],
    [-1, -1, 3, 3],
  ),
  "convolution with strides that skip": convolution({ strides: [3, 2] }, [-1, -1, 9, 8], [-1, -1, 2, 1]),
  "convolution whose strides leave a rest": convolution({ strides: [3, 3] }, [-1, -1, 10, 11], [-1, -1, 3, 3]),
  "1x1 convolution with strides": convolution({ strides: [2, 2] }, [-1, -1, 6, 6], [-2, -1, 1, 1]),
  "5x3 convolution with uneven pads": convolution({ pads: [2, 0, 1, 2] }, [-1, -1, 6, 5], [-1, -1, 5, 3]),
  "convolution with dilations": convolution({ dilations: [2, 1], pads: [2, 1, 2, 1] }, [-1, -1, 6, 5], [-1, -1, 3, 3]),
  "strided convolution with large kernels": convolution(
    { pads: [3, 3, 3, 3], strides: [2, 2] },
    [-1, -1, 9, 8],
    [-1, -1, 7, 7],
  ),
  "convolution of few examples": convolution({ pads: [1, 1, 1, 1] }, [3, -1, 5, 5], [-1, -1, 3, 3]),
  "depthwise convolution": convolution({ group: -1, pads: [1, 1, 1, 1] }, [2, -1, 6, 5], [-1, 1, 3, 3]),
  "depthwise convolution with strides": convolution(
    { group: -1, pads: [1, 1, 1, 1], strides: [2, 2] },
    [2, -1, 6, 5],
    [-1, 1, 3, 3],
  ),
  "grouped convolution, which stays plain": convolution({ group: 2 }, [2, -2, 5, 5], [-2, -1, 3, 3]),
  "many channels": convolution({ pads: [1, 1, 1, 1] }, [-2, -2, 3, 3], [-10, -2, 3, 3]),
  "transposed convolution": onBlocks((ops, x, input, block) =>
    ops.emit("ConvTranspose", [x, input([block, block, 3, 3]), input([block])], {
      strides: [2, 2],
      pads: [1, 1, 1, 1],
      output_padding: [1, 0],
    }),
  ),
  "batch norm while training": onBlocks((ops, x, input, block) => {
    const inputs = [x, input([block]), input([block]), input([block]), input([block])];
    return ops.emitAll("BatchNormalization", inputs, 3, { training_mode: 1, momentum: 0.75, epsilon: 1e-3 });
  }),
  "batch norm with given statistics": onBlocks((ops, x, input, block) => {
    const variance = ops.square(input([block]));
    return ops.emit("BatchNormalization", [x, input([block]), input([block]), input([block]), variance]);
  }),
  "examples as channels, and single elements": onBlocks((ops, x, input, block) => {
    const rows = ops.reshape(x, [1, 2 * block, 5, 4]);
    const numbers = () => ops.add(ops.square(input([2 * block, 1, 1])), 1);
    const y = ops.emit("Standardize", [rows, numbers(), numbers(), numbers(), numbers()], {}, modicum);
    const places = ops.constant(int64([0, 3, 20, 2 * block * 20 - 1, block * 20 + 7]));
    const changed = ops.emit("AddElements", [y, places, input([5])], {}, modicum);
    return [
      ops.reshape(ops.relu(changed), ops.shapeOf(x)),
      ops.emit("TakeElements", [ops.relu(x), places], {}, modicum),
      ops.emit("Standardize", [rows, numbers(), numbers()], {}, modicum),
      ops.reduceMax(rows, { axes: [2, 3] }),
      ops.reduceMin(x, { axes: [2, 3], keepDims: false }),
      ops.reduceMin(x, { axes: [0, 2, 3] }),
    ];
  }),
  "codes with and without noise, and ranges of everything": onBlocks((ops, x, input, block) => {
    const range = { low: ops.reduceMin(x, { keepDims: false }), high: ops.reduceMax(x, { keepDims: false }) };
    const scale = ops.div(ops.sub(range.high, range.low), 255);
    const zeroPoint = ops.round(ops.neg(ops.div(range.low, scale)));
    const codes = { lowest: 0, highest: 255 };
    const noise = ops.mul(ops.tanh(input([1, block, 5, 4])), 0.5);
    return [
      ops.relu(ops.emit("Quantized", [x, scale, zeroPoint], codes, modicum)),
      ops.relu(ops.emit("Quantized", [x, scale, zeroPoint, noise], codes, modicum)),
    ];
  }),
  "numbers per channel": onBlocks((ops, x, input, block) => {
    const [a, b] = [input([block, 1, 1]), input([1, block, 1, 1])];
    const y = ops.add(ops.sub(ops.mul(x, a), b), ops.div(x, ops.add(ops.square(a), 1)));
    return [y, ops.sub(a, x), ops.max(x, b)];
  }),
  "numbers per example and channel, per place, and alone": onBlocks((ops, x, input, block) => {
    const y = ops.mul(x, input([2, block, 1, 1]));
    return [ops.add(y, input([1, 1, 5, 4])), ops.mul(y, input([2, 1, 1, 1])), ops.sub(1, y), ops.add(y, input([4]))];
  }),
  "elementwise functions": onBlocks((ops, x) => {
    const y = ops.mul(ops.sigmoid(x), ops.tanh(x));
    const mask = ops.cast(ops.greater(y, 0.25), x.dtype!);
    return [ops.clip(ops.sub(ops.mul(y, mask), x), -0.5, 0.5), ops.mul(y, ops.cast(ops.less(x, 1), x.dtype!))];
  }),
  reductions: onBlocks((ops, x) => [
    ops.reduceSum(x, { axes: [0, 2, 3], keepDims: false }),
    ops.reduceMean(x, { axes: [-4, -2, -1] }),
    ops.reduceSum(x, { axes: [2, 3] }),
    ops.globalAveragePool(x),
    ops.reduceMax(x, { axes: [1] }),
    ops.reduceSum(x, { axes: [0] }),
    ops.reduceSum(x),
    ops.reduceMean(x, { keepDims: false }),
    ops.reduceMax(x),
  ]),
  "expanded numbers": onBlocks((ops, x, input, block) => {
    const [dy, y] = [ops.expand(input([2, block, 1, 1]), ops.shapeOf(x)), ops.relu(x)];
    return ops.emit("ReluGradient", [dy, y], {}, modicum);
  }),
  pools: onBlocks((ops, x) => [
    ops.maxPool(x, [2, 2], { strides: [2, 2] }),
    ops.averagePool(x, [3, 3], { pads: [1, 1, 1, 1] }),
    ops.emit("GlobalMaxPool", [x]),
  ]),
  "gradients that are scaled per channel": onBlocks((ops, x, input, block) => {
    const weight = input([block, block, 3, 3]);
    const pads = [1, 1, 1, 1];
    const scale = (value: Value) => ops.mul(value, input([block, 1, 1]));
    const [once, shared] = [scale(input(ops.shapeOf(x))), scale(ops.relu(x))];
    return [once, shared].flatMap((dy, index) => [
      ops.emit("ConvInputGradient", [dy, weight], { pads, input_shape: ops.shapeOf(x) }, modicum),
      ops.emit("ConvWeightGradient", [x, dy], { pads, weight_shape: ops.shapeOf(weight) }, modicum),
      ...(index === 1 ? [dy] : []),
    ]);
  }),
  "gradients of max pools": onBlocks((ops, x, input) => {
    // Many equal elements: the first of them gets the gradient.
    const tied = ops.relu(ops.sub(ops.floor(x), 1));
    const windows = [
      { kernel_shape: [2, 2], strides: [2, 2] },
      { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
      { kernel_shape: [3, 2], pads: [0, 1, 2, 0] },
      { kernel_shape: [2, 2], strides: [3, 3], dilations: [2, 1] },
      { kernel_shape: [1, 1], strides: [2, 2] },
    ];
    return windows.map((window) => {
      const y = ops.emit("MaxPool", [tied], window);
      return ops.emit("MaxPoolGradient", [input(ops.shapeOf(y)), tied, y], window, modicum);
    });
  }),
  "joined channels": onBlocks((ops, x, input, block) => {
    const y = ops.concat([x, input([2, 2 * block, 5, 4])], 1);
    return ops.concat([ops.relu(y), y], 0);
  }),
  "what only the plain layout has": onBlocks((ops, x) => [
    ops.reshape(x, [2, -1]),
    ops.softmax(x, 1),
    ops.transpose(x, [0, 2, 3, 1]),
  ]),
  "a result that is read twice": onBlocks((ops, x, input) => {
    const y = ops.conv(x, input([ops.shapeOf(x)[1]!, ops.shapeOf(x)[1]!, 1, 1]));
    return [ops.relu(y), ops.add(y, x), ops.add(y, y)];
  }),
};

let runtime: Runtime;
/** 0 where the engine has no such kernels: then there is nothing to test. */
let block = 0;
beforeAll(async () => {
  runtime = await nodeRuntime({ threads: 1 });
  block = (await loweringTarget(runtime)).channelBlock ?? 0;
});

interface Built {
  readonly program: Program;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

function build(write: Build, dtype: "float32" | "float64"): Built {
  const ops = new Ops();
  const random = seededRandom(7);
  const feeds: Record<string, Tensor> = {};
  const input: Input = (shape) => {
    const name = `x${Object.keys(feeds).length}`;
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal());
    feeds[name] = new Tensor(dtype, shape, dtype === "float32" ? data : Float64Array.from(data));
    return ops.input(name, dtype, shape);
  };
  ops.writer.graph.outputs = write(ops, input, block).map((value) => ops.identity(value));
  return { program: new Program(ops.writer.graph, ops.writer.opsets), feeds };
}

async function run({ program, feeds }: Built): Promise<number[][]> {
  const session = await runtime.createSession(writeModel(program));
  try {
    const results = await session.run(feeds);
    return session.outputNames.map((name) => [...toNumbers(results[name]!)]);
  } finally {
    await session.release();
  }
}

/** Largest difference between outputs, as a share of each output's largest number. */
function difference(got: readonly number[][], expected: readonly number[][]): number {
  return Math.max(
    ...expected.map((values, output) => {
      const scale = Math.max(...values.map(Math.abs), 1e-30);
      return Math.max(...values.map((value, index) => Math.abs(value - got[output]![index]!))) / scale;
    }),
  );
}

describe("blockChannels", () => {
  it.each(Object.entries(cases))("%s: is what the plain program computes in float64", async (_title, write) => {
    if (block === 0) return; // no such kernels: nothing to test
    const [blocked, exact] = [build(write, "float32"), build(write, "float64")];
    lowerProgram(blocked.program, { device: "cpu", channelBlock: block });
    lowerProgram(exact.program, { device: "cpu" });
    const [got, expected] = [await run(blocked), await run(exact)];
    expect(got.map((values) => values.length)).toEqual(expected.map((values) => values.length));
    // Sums of at most a few thousand float32 products.
    expect(difference(got, expected)).toBeLessThan(2e-5);
  });

  it("puts convolutions and what is between them into blocks", () => {
    if (block === 0) return;
    const { program } = build(cases["convolution whose result is added to"]!, "float32");
    lowerProgram(program, { device: "cpu", channelBlock: block });
    const { nodes } = program.graph;
    const convolutions = nodes.filter(({ operator }) => operator === "Conv");
    expect(convolutions.map(({ domain }) => domain)).toEqual(new Array(convolutions.length).fill(NCHWC));
    expect(convolutions.some(({ inputs }) => inputs[3] !== undefined)).toBe(true);
    expect(nodes.filter(({ operator }) => operator === "Add").map(({ label }) => label)).toEqual([]);
  });

  it("would notice a wrong number", async () => {
    if (block === 0) return;
    const { program, feeds } = build(cases["3x3 convolution"]!, "float32");
    lowerProgram(program, { device: "cpu", channelBlock: block });
    const right = await run({ program, feeds });
    const wrong = right.map((values) => values.with(3, values[3]! + 1e-3 * Math.max(...values.map(Math.abs))));
    expect(difference(wrong, right)).toBeGreaterThan(2e-5);
  });
});
