import { describe, expect, it } from "vitest";
import type { Program } from "../../program/index.ts";
import { int64, toNumbers } from "../../tensor/index.ts";
import { programOf, sqnrDb, weights } from "../small-models.cases.ts";
import { batchesOf, quantizeAs, run, type Setting } from "./lower-model.cases.ts";

const W8A8: Setting = { target: "cpu", weights: 8, activations: 8 };

/** The only node of an operator, its constant inputs as numbers. */
function constantsOf(program: Program, operator: string): (Float64Array | undefined)[] {
  const node = program.graph.nodes.find((candidate) => candidate.operator === operator)!;
  return node.inputs.map((input) => (input?.constant ? toNumbers(input.constant.load()) : undefined));
}

function codesOf(values: Float32Array, scale: number, zeroPoint: number): Int32Array {
  // Float32 division and rounding half to even, as ONNX Runtime does.
  return Int32Array.from(values, (x) => {
    const exact = Math.fround(x / scale);
    const nearest = Math.abs(exact % 1) === 0.5 ? 2 * Math.round(exact / 2) : Math.round(exact);
    return Math.min(255, Math.max(0, nearest + zeroPoint));
  });
}

/** Sums of products of codes of [samples, inputs] and [inputs, outputs]. */
function products(codes: Int32Array, zeroPoint: number, w: Float64Array, outputs: number): Int32Array {
  const inputs = w.length / outputs;
  return Int32Array.from({ length: (codes.length / inputs) * outputs }, (_, at) => {
    const sample = Math.floor(at / outputs);
    let sum = 0;
    for (let k = 0; k < inputs; k++)
      sum += (codes[sample * inputs + k]! - zeroPoint) * w[k * outputs + (at % outputs)]!;
    return sum;
  });
}

describe("a product on the cpu is the product of its codes, computed on the host:", () => {
  it("Gemm, whose scores are floats", async () => {
    const program = programOf({ x: ["batch", 12] }, (e, { x }) => [
      e.emit("Gemm", [x!, weights("a", [12, 5], 0.3), weights("b", [5])]),
    ]);
    const [feeds] = batchesOf(program);
    const { program: quantized } = await quantizeAs(program, W8A8, [feeds!]);
    const [, scale, zero, w, wScales, , bias] = constantsOf(quantized, "QGemm");
    const codes = codesOf(feeds!.x!.data as Float32Array, scale![0]!, zero![0]!);
    const expected = products(codes, zero![0]!, w!, 5);
    const actual = await run(quantized, feeds!);
    expected.forEach((sum, at) => {
      // One float32 multiplication.
      const exact = (sum + bias![at % 5]!) * scale![0]! * wScales![at % 5]!;
      expect(Math.abs(actual[at]! - exact)).toBeLessThan(1e-6 * Math.max(1, Math.abs(exact)));
    });
  });

  it("MatMul of three axes", async () => {
    const program = programOf({ x: ["batch", 3, 12] }, (e, { x }) => [
      e.emit("MatMul", [x!, weights("a", [12, 5], 0.3)]),
    ]);
    const [feeds] = batchesOf(program);
    const { program: quantized } = await quantizeAs(program, W8A8, [feeds!], { correction: "none" });
    const [, w, scale, wScales, zero] = constantsOf(quantized, "MatMulIntegerToFloat");
    const codes = codesOf(feeds!.x!.data as Float32Array, scale![0]!, zero![0]!);
    const actual = await run(quantized, feeds!);
    products(codes, zero![0]!, w!, 5).forEach((sum, at) => {
      const exact = sum * scale![0]! * wScales![at % 5]!;
      expect(Math.abs(actual[at]! - exact)).toBeLessThan(1e-6 * Math.max(1, Math.abs(exact)));
    });
  });

  it("Conv of single places with ReLU, whose results are codes that saturate", async () => {
    const program = programOf({ x: ["batch", 6, 1, 1] }, (e, { x }) => {
      const first = e.emit("Conv", [x!, weights("a", [4, 6, 1, 1], 0.5), weights("b", [4])]);
      return [e.emit("Relu", [first])];
    });
    const [feeds] = batchesOf(program);
    const { program: quantized } = await quantizeAs(program, W8A8, [feeds!], { range: "min-max" });
    const [, scale, zero, w, wScales, , yScale, yZero, bias] = constantsOf(quantized, "QLinearConv");
    expect(yZero![0]).toBe(0);
    const codes = codesOf(feeds!.x!.data as Float32Array, scale![0]!, zero![0]!);
    // [4, 6] to [6, 4].
    const turned = Float64Array.from(w!, (_, at) => w![(at % 4) * 6 + Math.floor(at / 4)]!);
    const actual = await run(quantized, feeds!);
    let zeros = 0;
    products(codes, zero![0]!, turned, 4).forEach((sum, at) => {
      const exact = ((sum + bias![at % 4]!) * scale![0]! * wScales![at % 4]!) / yScale![0]!;
      const code = Math.round(actual[at]! / yScale![0]!);
      if (code === 0) zeros++;
      // The nearest code, half of one either way, a float32 rounding beyond.
      expect(Math.abs(code - Math.min(255, Math.max(0, exact)))).toBeLessThanOrEqual(0.5 + 1e-4);
    });
    expect(zeros).toBeGreaterThan(0);
  });
});

describe("weights of other bits than 4 and 8", () => {
  const program = programOf({ x: ["batch", 6, 8, 8] }, (e, { x }) => {
    const first = e.emit("Relu", [e.emit("Conv", [x!, weights("a", [16, 6, 3, 3], 0.3)])]);
    const rows = e.emit("Transpose", [first], { attributes: { perm: [0, 2, 3, 1] } });
    return [
      e.emit("MatMul", [rows, weights("m", [16, 5], 0.3)]),
      e.emit("MatMul", [e.emit("Reshape", [x!, e.constant("shape", int64([0, 6, 64]))]), weights("n", [64, 7], 0.3)]),
    ];
  });
  const batches = batchesOf(program);

  it.each([2, 3, 5, 6, 7])("have the levels of %i bits in every target, and lose 6 dB a bit", async (bits) => {
    const expected = await run(program, batches[0]!);
    for (const target of ["cpu", "portable", "webgpu", "simulate"] as const) {
      const { program: quantized, report } = await quantizeAs(
        program,
        { target, weights: bits, activations: 16 },
        batches,
      );
      // 6 b - 5 dB as at 4 and 8 bits; ACIQ's allocation in simulation gives the mean of its channels' bits.
      expect(sqnrDb(expected, await run(quantized, batches[0]!))).toBeGreaterThan(6 * bits - 11);
      for (const layer of report.layers) {
        if (target === "simulate") expect(Math.abs(layer.weightBits - bits)).toBeLessThan(0.25);
        else expect(layer.weightBits).toBe(bits);
        expect(layer.weightSqnrDb).toBeLessThan(6 * bits + 6);
      }
    }
  });
});
