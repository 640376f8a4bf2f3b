import { describe, expect, it } from "vitest";
import { findLayers } from "../../prepare/index.ts";
import { cloneProgram, type Emitter, type Program, type Value } from "../../program/index.ts";
import { toFloat32 } from "../../tensor/index.ts";
import { quantizeAs, relativeDifference, run } from "../lowering/lower-model.cases.ts";
import { resolveSettings } from "../settings.ts";
import { dataOf, numbers, programOf, randomFeeds, runtime, weights } from "../small-models.cases.ts";
import { smoothing, smoothingFactors } from "./smoothing.ts";

const CHANNELS = 16;

/** Scales of channels, two of them far larger than the others. */
const uneven = (name: string): Value =>
  numbers(
    name,
    [CHANNELS],
    Array.from({ length: CHANNELS }, (_, c) => (c % 7 === 3 ? 30 : 1 + c / 10)),
  );

function rmsNorm(e: Emitter, x: Value): Value {
  const square = e.emit("ReduceMean", [e.emit("Mul", [x, x])], { attributes: { axes: [-1], keepdims: 1 } });
  const root = e.emit("Sqrt", [e.emit("Add", [square, numbers("epsilon", [], [1e-5])])]);
  return e.emit("Mul", [e.emit("Div", [x, root]), uneven("gamma")]);
}

/** x of 16 channels, a normalization, and two matrix products that read it. */
function normalized(norm: (e: Emitter, x: Value) => Value, after = (_: Emitter, y: Value): Value => y): Program {
  return programOf({ x: ["batch", 5, CHANNELS] }, (e, { x }) => {
    const y = after(e, norm(e, x!));
    const a = e.emit("MatMul", [y, weights("a", [CHANNELS, 12], 0.3)]);
    const b = e.emit("MatMul", [y, weights("b", [CHANNELS, 12], 0.3)]);
    return [e.emit("Mul", [e.emit("Sigmoid", [a]), b], { output: "y" })];
  });
}

async function smoothed(program: Program): Promise<{ program: Program; notes: readonly string[]; maxima: number[][] }> {
  const copy = cloneProgram(program).program;
  const data = dataOf([1, 2].map((seed) => randomFeeds(copy, seed, { lengths: { batch: 4 } })));
  const settings = resolveSettings({ runtime });
  const notes = await smoothing().rewrite!(
    copy,
    findLayers(copy).filter(({ reason }) => !reason),
    {
      runtime,
      data,
      hasData: true,
      settings,
      signal: undefined,
    },
  );
  return {
    program: copy,
    notes,
    maxima: findLayers(copy).map((layer) => inputMaxima(toFloat32(layer.weight.constant!.load()))),
  };
}

function inputMaxima(values: Float32Array): number[] {
  const outputs = values.length / CHANNELS;
  return Array.from({ length: CHANNELS }, (_, c) =>
    values.subarray(c * outputs, (c + 1) * outputs).reduce((most, value) => Math.max(most, Math.abs(value)), 0),
  );
}

const layerNorm = (e: Emitter, x: Value): Value =>
  e.emit("LayerNormalization", [x, uneven("gamma"), weights("beta", [CHANNELS])], { attributes: { axis: -1 } });

/** Mean, variance, scale and shift as single nodes, the scale multiplied to the reciprocal first. */
function primitiveLayerNorm(e: Emitter, x: Value): Value {
  const mean = (value: Value) => e.emit("ReduceMean", [value], { attributes: { axes: [-1], keepdims: 1 } });
  const centred = e.emit("Sub", [x, mean(x)]);
  const root = e.emit("Sqrt", [
    e.emit("Add", [mean(e.emit("Mul", [centred, centred])), numbers("epsilon", [], [1e-5])]),
  ]);
  const scale = e.emit("Mul", [e.emit("Reciprocal", [root]), uneven("gamma")]);
  return e.emit("Add", [e.emit("Mul", [centred, scale]), weights("beta", [CHANNELS])]);
}

describe("smoothing", () => {
  it.each<[string, Program]>([
    ["RMSNorm of primitive nodes", normalized(rmsNorm)],
    ["LayerNormalization", normalized(layerNorm)],
    ["layer norm of primitive nodes", normalized(primitiveLayerNorm)],
  ])("leaves the outputs of %s as they are, and evens its channels", async (_, program) => {
    const { program: after, notes, maxima } = await smoothed(program);
    const feeds = randomFeeds(program, 9, { lengths: { batch: 4 } });
    expect(relativeDifference(await run(program, feeds), await run(after, feeds))).toBeLessThan(2e-6);
    expect(notes).toEqual(["channels of 1 of 1 inputs of matrix products made even"]);
    // Weights of channels with outliers have grown by more than those of the others.
    const growth = maxima[0]!.map(
      (most, c) => most / inputMaxima(toFloat32(weights("a", [CHANNELS, 12], 0.3).constant!.load()))[c]!,
    );
    expect(Math.min(growth[3]!, growth[10]!)).toBeGreaterThan(2 * Math.max(...growth.filter((_, c) => c % 7 !== 3)));
  });

  it("goes through a gated feed-forward layer, whose weights take factors from both sides", async () => {
    const program = programOf({ x: ["batch", CHANNELS] }, (e, { x }) => {
      const y = layerNorm(e, x!);
      const gate = e.emit("MatMul", [y, weights("gate", [CHANNELS, 24], 0.3)]);
      const up = e.emit("MatMul", [y, weights("up", [CHANNELS, 24], 0.3)]);
      const hidden = e.emit("Mul", [e.emit("Sigmoid", [gate]), up]);
      return [e.emit("MatMul", [hidden, weights("down", [24, 8], 0.3)], { output: "y" })];
    });
    const { program: after, notes } = await smoothed(program);
    const feeds = randomFeeds(program, 9, { lengths: { batch: 4 } });
    expect(relativeDifference(await run(program, feeds), await run(after, feeds))).toBeLessThan(2e-6);
    expect(notes).toEqual(["channels of 2 of 2 inputs of matrix products made even"]);
  });

  it("leaves what others read too, or what no constants precede, and says so", async () => {
    const isRead = normalized(layerNorm, (e, y) => {
      e.emit("Relu", [y]);
      return y;
    });
    isRead.graph.outputs.push(isRead.graph.nodes.find(({ operator }) => operator === "Relu")!.output());
    expect((await smoothed(isRead)).notes[0]).toMatch(/0 of 1 .* also read by Relu/);
    const { program, notes } = await smoothed(normalized((e, x) => e.emit("Softmax", [x])));
    expect(notes[0]).toMatch(/0 of 1 .*not those of MatMul.* \(no constant before takes the factors\)/);
    expect(program.graph.nodes.map(({ operator }) => operator)).toEqual([
      "Softmax",
      "MatMul",
      "MatMul",
      "Sigmoid",
      "Mul",
    ]);
  });

  it("does nothing where activations stay in float", async () => {
    const program = normalized(rmsNorm);
    const batches = [randomFeeds(program, 1, { lengths: { batch: 4 } })];
    const setting = { target: "cpu", weights: 8, activations: 16 } as const;
    const { report } = await quantizeAs(program, setting, batches, { refinements: [smoothing()] });
    expect(report.remarks[0]).toBe("smoothing: nothing to do: activations stay in float");
  });

  it("makes 8-bit activations with outliers in a few channels better", async () => {
    const program = normalized(rmsNorm);
    const batches = [1, 2, 3].map((seed) => randomFeeds(program, seed, { lengths: { batch: 16 } }));
    const setting = { target: "cpu", weights: 8, activations: 8 } as const;
    const sqnr = async (refinements: ReturnType<typeof smoothing>[]) =>
      (await quantizeAs(program, setting, batches, { refinements })).report.layers[0]!.sqnrDb!;
    expect(await sqnr([smoothing()])).toBeGreaterThan((await sqnr([])) + 6);
  });
});

describe("smoothingFactors", () => {
  it("is the paper's formula, and 1 for channels that are always or never multiplied by zero", () => {
    const factors = smoothingFactors(Float64Array.of(16, 4, 0, 3), Float64Array.of(1, 0.25, 2, 0), 0.5);
    expect([...factors]).toEqual([4, 4, 1, 1]);
    expect(smoothingFactors(Float64Array.of(16), Float64Array.of(4), 0.75)[0]).toBeCloseTo(8 / Math.SQRT2, 12);
  });
});
