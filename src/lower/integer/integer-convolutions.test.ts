import { describe, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../../test/support/engines.ts";
import { Ops } from "../../build/index.ts";
import { writeModel } from "../../onnx/index.ts";
import { Program, type Value } from "../../program/index.ts";
import { nodeRuntime } from "../../runtime/node.ts";
import { float32, seededRandom, type Tensor, toNumbers } from "../../tensor/index.ts";
import { lowerProgram } from "../lower-program.ts";

const random = seededRandom(7);
const normal = (shape: readonly number[]): Tensor =>
  float32(
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
  );

interface Case {
  readonly title: string;
  readonly channels: readonly [inputs: number, outputs: number];
  readonly length: number;
  readonly kernel: number;
  readonly stride: number;
  readonly pads: readonly number[];
}

const CASES: readonly Case[] = [
  { title: "3 x 3", channels: [256, 258], length: 5, kernel: 3, stride: 1, pads: [1, 1, 1, 1] },
  { title: "3 x 3, uneven pads", channels: [258, 256], length: 6, kernel: 3, stride: 1, pads: [1, 0, 2, 1] },
  { title: "3 x 3 in steps of 2", channels: [256, 256], length: 7, kernel: 3, stride: 2, pads: [1, 1, 1, 1] },
  { title: "1 x 1", channels: [256, 260], length: 3, kernel: 1, stride: 1, pads: [0, 0, 0, 0] },
  { title: "1 x 1 in steps of 2", channels: [256, 256], length: 4, kernel: 1, stride: 2, pads: [0, 0, 0, 0] },
];

/** Codes of x with a zero point, of w without: a convolution, and both of its gradients. */
function build({ channels: [inputs, outputs], length, kernel, stride, pads }: Case) {
  const ops = new Ops();
  const quantized = (value: Value, scale: number, zeroPoint?: number): Value =>
    ops.emit(
      "Quantized",
      [value, ops.scalar(scale), zeroPoint === undefined ? undefined : ops.scalar(zeroPoint)],
      zeroPoint === undefined ? { lowest: -128, highest: 127 } : { lowest: 0, highest: 255 },
      { domain: "modicum" },
    );
  const after = Math.floor((length + pads[0]! + pads[2]! - kernel) / stride) + 1;
  const wide = Math.floor((length + pads[1]! + pads[3]! - kernel) / stride) + 1;
  const shapes = {
    x: [2, inputs, length, length],
    w: [outputs, inputs, kernel, kernel],
    bias: [outputs],
    dy: [2, outputs, after, wide],
  };
  const [x, w, bias, dy] = Object.entries(shapes).map(([name, shape]) => ops.input(name, "float32", shape)) as [
    Value,
    Value,
    Value,
    Value,
  ];
  const window = { strides: [stride, stride], pads };
  const [xhat, what, ghat] = [quantized(x, 0.03, 90), quantized(w, 0.02), quantized(dy, 0.025)];
  const settings = { domain: "modicum" };
  ops.writer.graph.outputs = [
    ops.conv(xhat, what, bias, window),
    ops.emit("ConvInputGradient", [ghat, what], { ...window, input_shape: shapes.x }, settings),
    ops.emit("ConvWeightGradient", [xhat, ghat], { ...window, weight_shape: shapes.w }, settings),
  ].map((value) => ops.identity(value));
  const feeds = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, normal(shape)]));
  return { program: new Program(ops.writer.graph, ops.writer.opsets), feeds };
}

async function run(one: Case, hasIntegerProducts: boolean, feeds: Readonly<Record<string, Tensor>>) {
  const runtime = await nodeRuntime({ threads: 1 });
  const { program } = build(one);
  lowerProgram(program, { device: "cpu", hasIntegerProducts });
  const session = await runtime.createSession(writeModel(program));
  const results = await session.run(feeds);
  await session.release();
  const operators = program.graph.nodes.map(({ operator }) => operator);
  return { values: session.outputNames.map((name) => Array.from(toNumbers(results[name]!))), operators };
}

describeUnless(reasonWithoutOnnxRuntimeNode(), "integer convolutions", () => {
  it.each(CASES.map((one) => [one.title, one] as const))("%s: are those of floats, to rounding", async (_, one) => {
    const { feeds } = build(one);
    const [float, integer] = [await run(one, false, feeds), await run(one, true, feeds)];
    expect(float.operators).not.toContain("MatMulIntegerToFloat");
    const products = integer.operators.filter((operator) => operator === "MatMulIntegerToFloat").length;
    // Of the gradient for inputs, a single tap that jumps gives most places none: it stays in float.
    expect(products).toBe(one.stride > 1 && one.kernel === 1 ? 2 : 3);
    float.values.forEach((values, index) => {
      const size = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
      const far = values.findIndex((value, i) => Math.abs(value - integer.values[index]![i]!) > 1e-5 * size);
      expect(far, `output ${index}: ${values[far]} against ${integer.values[index]![far]}`).toBe(-1);
    });
  });

  it("stay in float where channels are few, and in groups", async () => {
    const few = { ...CASES[0]!, channels: [48, 64] as const };
    const { operators } = await run(few, true, build(few).feeds);
    expect(operators).not.toContain("MatMulIntegerToFloat");
  });
});

describe("the check itself", () => {
  it("sees another zero point", async () => {
    const one = CASES[3]!;
    const { feeds } = build(one);
    const { values } = await run(one, true, {
      ...feeds,
      x: float32(
        feeds.x!.shape,
        toNumbers(feeds.x!).map((x: number) => x + 0.03),
      ),
    });
    const same = await run(one, false, feeds);
    expect(values[0]).not.toEqual(same.values[0]);
  });
});
