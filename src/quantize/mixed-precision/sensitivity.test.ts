import { describe, expect, it } from "vitest";
import { writeModel } from "../../onnx/index.ts";
import { findLayers } from "../../prepare/index.ts";
import { float32 } from "../../tensor/index.ts";
import { planActivations } from "../activation-plan.ts";
import type { QuantizedLayer } from "../lowering/plan.ts";
import { floatsOf, quantizeLayer } from "../quantize-layer.ts";
import { resolveSettings } from "../settings.ts";
import { dataOf, normals, programOf, randomFeeds, runtime, weights } from "../small-models.cases.ts";
import { floatBytes, quantizedBytes } from "./layer-bytes.ts";
import { layerGroups } from "./layer-groups.ts";
import { outputError } from "./output-error.ts";
import { measureSensitivities } from "./sensitivity.ts";

const feedsOf = (name: string, values: readonly number[]) => ({ [name]: float32([1, values.length], values) });

describe("outputError", () => {
  const classifier = programOf({ x: [1, 8] }, (e, { x }) => [
    e.emit("Gemm", [x, weights("w", [8, 3])], { output: "y" }),
  ]);
  const probabilities = programOf({ x: [1, 8] }, (e, { x }) => [
    e.emit("Softmax", [e.emit("Gemm", [x, weights("w", [8, 3])])], { output: "y" }),
  ]);
  const errorOf = (program: typeof classifier) => outputError(program.graph.outputs, findLayers(program))!;

  it("is the relative squared error of scores but for a constant, from scores or from probabilities alike", () => {
    const [p, q] = [
      [0.7, 0.2, 0.1],
      [0.5, 0.25, 0.25],
    ] as const;
    const centred = (values: readonly number[]) => {
      const logarithms = values.map(Math.log);
      const mean = logarithms.reduce((sum, value) => sum + value, 0) / values.length;
      return logarithms.map((value) => value - mean);
    };
    const [expected, actual] = [centred(p), centred(q)];
    const noise = expected.reduce((sum, value, i) => sum + (value - actual[i]!) ** 2, 0);
    const signal = expected.reduce((sum, value) => sum + value ** 2, 0);
    const shifted = (values: readonly number[], by: number) => centred(values).map((value) => value + by);
    const fromScores = errorOf(classifier).of(feedsOf("y", shifted(p, 3)), feedsOf("y", shifted(q, -2)));
    expect(fromScores).toBeCloseTo(noise / signal, 5);
    expect(errorOf(probabilities).of(feedsOf("y", p), feedsOf("y", q))).toBeCloseTo(noise / signal, 5);
  });

  it("is the relative squared error of what gives no classes", () => {
    const program = programOf({ x: [1, 4, 4, 4] }, (e, { x }) => [
      e.emit("Conv", [x, weights("w", [4, 4, 3, 3])], { output: "y", attributes: { pads: [1, 1, 1, 1] } }),
    ]);
    const error = errorOf(program);
    expect(error.name).toBe("relative squared error of outputs");
    expect(error.of(feedsOf("y", [3, 4]), feedsOf("y", [3, 3]))).toBeCloseTo(1 / 25, 9);
  });

  it("there is none for outputs of integers", () => {
    const program = programOf({ x: [1, 8] }, (e, { x }) => [e.emit("ArgMax", [x], { output: "y", dtype: "int64" })]);
    expect(outputError(program.graph.outputs, [])).toBeUndefined();
  });
});

describe("measureSensitivities", () => {
  it("gives what running the model with the rounded weights gives, biases included", async () => {
    const build = (replaced: { readonly first?: Float32Array; readonly bias?: Float32Array } = {}) =>
      programOf({ x: [1, 3, 6, 6] }, (e, { x }) => {
        const own = weights("first", [8, 3, 3, 3]);
        const values = replaced.first ?? normals(7, 8 * 27);
        const first = {
          ...own,
          name: "first",
          constant: { ...own.constant!, load: () => float32([8, 3, 3, 3], values) },
        };
        const bias = weights("b", [8]);
        const biasValues = replaced.bias ?? normals(9, 8);
        const shifted = {
          ...bias,
          name: "bias",
          constant: { ...bias.constant!, load: () => float32([8], biasValues) },
        };
        const hidden = e.emit("Relu", [e.emit("Conv", [x, first as never, shifted as never], { name: "first" })]);
        return [e.emit("Conv", [hidden, weights("second", [2, 8, 1, 1])], { name: "second", output: "y" })];
      });
    const program = build();
    const layers = findLayers(program);
    const settings = resolveSettings({ runtime, weights: 3 });
    const plan = planActivations(program, layers, { scores: false, sums: true });
    const feeds = [randomFeeds(program, 1), randomFeeds(program, 2)];
    const { quantized } = quantizeLayer(layers[0]!, {
      bits: 3,
      granularity: "channel",
      blockSize: 32,
      blockGrid: "symmetric",
      clip: "max",
      correction: "none",
      inputMoments: undefined,
      inputGrid: undefined,
    });
    const biasShift = Float64Array.from({ length: 8 }, (_, i) => i / 10);
    const rounded: QuantizedLayer = { ...quantized, biasShift };
    const error = outputError(program.graph.outputs, layers)!;
    async function* candidates() {
      yield { rounded: [rounded] };
      yield { rounded: [] };
    }
    const { errors, batches } = await measureSensitivities({ program, layers, settings, plan }, candidates(), 2, {
      runtime,
      data: dataOf(feeds),
      error,
      batches: 2,
      signal: undefined,
      onProgress: () => {},
    });
    const bias = Float32Array.from(normals(9, 8), (value, i) => value + biasShift[i]!);
    const sessions = await Promise.all(
      [program, build({ first: floatsOf(layers[0]!, quantized.weights), bias })].map((one) =>
        runtime.createSession(writeModel(one)),
      ),
    );
    let expected = 0;
    for (const own of feeds) expected += error.of(await sessions[0]!.run(own), await sessions[1]!.run(own)) / 2;
    for (const session of sessions) await session.release();
    expect(batches).toBe(2);
    expect(expected).toBeGreaterThan(0.01);
    expect(errors[0]).toBeCloseTo(expected, 5);
    expect(errors[1]).toBe(0);
  });
});

describe("layerGroups", () => {
  it("keeps layers together that share weights, and others apart", () => {
    const shared = weights("shared", [4, 4]);
    const program = programOf({ x: [1, 4] }, (e, { x }) => {
      const first = e.emit("MatMul", [x, shared], { name: "a" });
      const second = e.emit("MatMul", [first, weights("own", [4, 4])], { name: "b" });
      return [e.emit("MatMul", [second, shared], { name: "c", output: "y" })];
    });
    const groups = layerGroups(findLayers(program)).map((group) => group.map(({ node }) => node.name));
    expect(groups).toEqual([["a", "c"], ["b"]]);
  });
});

describe("bytes of layers", () => {
  it("count codes, scales and zero points once, in the form of the target", () => {
    const program = programOf({ x: [1, 64] }, (e, { x }) => [
      e.emit("MatMul", [x, weights("w", [64, 256])], { name: "product", output: "y" }),
    ]);
    const [layer] = findLayers(program);
    const rounded = (granularity: "channel" | "block", bits: number) =>
      quantizeLayer(layer!, {
        bits,
        granularity,
        blockSize: 32,
        blockGrid: "symmetric",
        clip: "max",
        correction: "none",
        inputMoments: undefined,
        inputGrid: undefined,
      }).quantized;
    const count = 64 * 256;
    expect(floatBytes([layer!, layer!])).toBe(4 * count);
    const eight = rounded("channel", 8);
    expect(quantizedBytes([eight, eight], "cpu")).toBe(count + 4 * 256);
    expect(quantizedBytes([rounded("channel", 4)], "cpu")).toBe(count / 2 + 4 * 256);
    expect(quantizedBytes([rounded("channel", 3)], "portable")).toBe(count / 2 + 4 * 256);
    const three = quantizedBytes([rounded("channel", 3)], "cpu");
    expect(three).toBeGreaterThan((count * 3) / 8 + 4 * 256);
    expect(three).toBeLessThan(count / 2);
    expect(quantizedBytes([rounded("block", 4)], "cpu")).toBe(count / 2 + 4 * 512);
  });
});
