import { expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../../test/support/engines.ts";
import { Ops } from "../../build/index.ts";
import { writeModel } from "../../onnx/index.ts";
import { Program, type Value } from "../../program/index.ts";
import { nodeRuntime } from "../../runtime/node.ts";
import { float32, seededRandom, type Tensor, toNumbers } from "../../tensor/index.ts";
import { lowerProgram } from "../lower-program.ts";

interface Case {
  readonly title: string;
  readonly batch: number;
  readonly channels: readonly [inputs: number, outputs: number];
  readonly length: number;
  readonly kernel: number;
  readonly stride: number;
  readonly pads: readonly number[];
}

const CASES: readonly Case[] = [
  { title: "pictures put together", batch: 4, channels: [64, 80], length: 8, kernel: 3, stride: 1, pads: [1, 1, 1, 1] },
  { title: "large pictures", batch: 1, channels: [64, 64], length: 40, kernel: 3, stride: 1, pads: [1, 1, 1, 1] },
  { title: "uneven pads", batch: 3, channels: [64, 64], length: 7, kernel: 3, stride: 1, pads: [1, 0, 2, 1] },
  { title: "1 x 1", batch: 6, channels: [64, 96], length: 5, kernel: 1, stride: 1, pads: [0, 0, 0, 0] },
  { title: "steps of 2", batch: 4, channels: [64, 64], length: 8, kernel: 3, stride: 2, pads: [1, 1, 1, 1] },
  { title: "1 x 1 in steps of 2", batch: 4, channels: [64, 64], length: 6, kernel: 1, stride: 2, pads: [0, 0, 0, 0] },
];

const SCALES = { y: 0.6, dx: 0.5 };

/** A convolution and both of its gradients on codes, its result and that for its input on codes too; the largest of each. */
function build({ batch, channels: [inputs, outputs], length, kernel, stride, pads }: Case) {
  const ops = new Ops();
  const quantized = (value: Value, scale: number, zeroPoint?: number): Value =>
    ops.emit(
      "Quantized",
      [value, ops.scalar(scale), zeroPoint === undefined ? undefined : ops.scalar(zeroPoint)],
      zeroPoint === undefined ? { lowest: -128, highest: 127 } : { lowest: 0, highest: 255 },
      { domain: "modicum" },
    );
  const after = (before: number, axis: 0 | 1) =>
    Math.floor((before + pads[axis]! + pads[axis + 2]! - kernel) / stride) + 1;
  const shapes = {
    x: [batch, inputs, length, length],
    w: [outputs, inputs, kernel, kernel],
    bias: [outputs],
    dy: [batch, outputs, after(length, 0), after(length, 1)],
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
  const y = quantized(ops.conv(xhat, what, bias, window), SCALES.y);
  const dx = ops.emit("ConvInputGradient", [ghat, what], { ...window, input_shape: shapes.x }, settings);
  const rounded = quantized(dx, SCALES.dx, 120);
  const dw = ops.emit("ConvWeightGradient", [xhat, ghat], { ...window, weight_shape: shapes.w }, settings);
  const extremes = [ops.reduceMax(y, { keepDims: false }), ops.reduceMin(rounded, { keepDims: false })];
  ops.writer.graph.outputs = [y, rounded, dw, ...extremes].map((value) => ops.identity(value));
  return { program: new Program(ops.writer.graph, ops.writer.opsets), shapes };
}

async function run(one: Case, hasIntegerProducts: boolean, feeds: Readonly<Record<string, Tensor>>) {
  const runtime = await nodeRuntime({ threads: 1 });
  const { program } = build(one);
  lowerProgram(program, { device: "cpu", hasIntegerProducts, channelBlock: 16 });
  const session = await runtime.createSession(writeModel(program));
  const results = await session.run(feeds);
  await session.release();
  const operators = program.graph.nodes.map(({ operator }) => operator);
  return { values: session.outputNames.map((name) => Array.from(toNumbers(results[name]!))), operators };
}

describeUnless(reasonWithoutOnnxRuntimeNode(), "convolutions of bytes", () => {
  it.each(CASES.map((one) => [one.title, one] as const))("%s: give the codes of floats", async (_, one) => {
    const random = seededRandom(3);
    const feeds = Object.fromEntries(
      Object.entries(build(one).shapes).map(([name, shape]) => {
        const count = shape.reduce((a, b) => a * b, 1);
        return [
          name,
          float32(
            shape,
            Float32Array.from({ length: count }, () => random.normal()),
          ),
        ];
      }),
    );
    const [float, integer] = [await run(one, false, feeds), await run(one, true, feeds)];
    expect(float.operators).not.toContain("QLinearConv");
    const count = integer.operators.filter((operator) => operator === "QLinearConv").length;
    // Gradients with respect to inputs behind windows that jump stay in float.
    expect(count).toBe(one.stride === 1 ? 2 : 1);
    const steps = [SCALES.y, SCALES.dx, undefined, SCALES.y, SCALES.dx];
    float.values.forEach((values, index) => {
      const size = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
      // Float sums near the middle between two codes may go to the other one.
      const step = steps[index] ?? 0;
      const errors = values.map((value, i) => Math.abs(value - integer.values[index]![i]!));
      const far = errors.filter((error) => error > 1e-5 * size);
      expect(Math.max(...errors), `output ${index}`).toBeLessThanOrEqual(1.001 * step + 1e-5 * size);
      expect(far.length / values.length, `output ${index}`).toBeLessThan(1e-3);
    });
  });

  it("stay in float where channels are few", async () => {
    const few = { ...CASES[0]!, channels: [48, 64] as const };
    const feeds = Object.fromEntries(
      Object.entries(build(few).shapes).map(([name, shape]) => [
        name,
        float32(shape, new Float32Array(shape.reduce((a, b) => a * b, 1))),
      ]),
    );
    const { operators } = await run(few, true, feeds);
    expect(operators).not.toContain("QLinearConv");
    expect(operators).not.toContain("MatMulInteger");
  });
});
