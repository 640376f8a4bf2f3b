import { describe, expect, it } from "vitest";
import type { Layer } from "../prepare/index.ts";
import type { Program } from "../program/index.ts";
import type {
  CalibrationData,
  ChannelWeights,
  Draft,
  Feeds,
  RefinedPart,
  RefinementContext,
} from "../quantize/index.ts";
import { dataOf, normals, programOf, randomFeeds, runtime, sqnrDb, weights } from "../quantize/small-models.cases.ts";
import { float32, toFloat32, toNumbers } from "../tensor/index.ts";
import { findBlocks } from "./blocks.ts";
import { type LearnedRoundingOptions, learnedRounding } from "./learned-rounding.ts";
import { contextOf, draftOf, outputsOf } from "./refine.cases.ts";
import { BlockRunner } from "./run-block.ts";
import { Samples } from "./samples.ts";
import { TrainableBlock } from "./trainable-block.ts";

async function parts(
  draft: Draft,
  data: CalibrationData,
  options: LearnedRoundingOptions,
  context: Partial<RefinementContext> = {},
): Promise<RefinedPart[]> {
  const all: RefinedPart[] = [];
  for await (const part of learnedRounding(options).refine!(draft, contextOf(data, context))) all.push(part);
  return all;
}

const codesOf = (draft: Draft): number[][] =>
  [...draft.weights.values()].map(({ weights: one }) => [...(one as ChannelWeights).codes]);

/** Two layers with a skip connection, and a head. */
function residual(): Program {
  const pads = { attributes: { pads: [1, 1, 1, 1] } };
  return programOf({ x: ["batch", 3, 4, 4] }, (e, { x }) => {
    const stem = e.emit("Relu", [e.emit("Conv", [x!, weights("stem", [6, 3, 3, 3], 0.4), weights("b", [6])], pads)]);
    const first = e.emit("Relu", [e.emit("Conv", [stem, weights("a", [6, 6, 3, 3], 0.3)], pads)]);
    const second = e.emit("Conv", [first, weights("c", [6, 6, 3, 3], 0.3)], pads);
    const flat = e.emit("Flatten", [e.emit("GlobalAveragePool", [e.emit("Relu", [e.emit("Add", [second, stem])])])]);
    return [e.emit("Gemm", [flat, weights("head", [6, 5], 0.5), weights("bias", [5])], { output: "scores" })];
  });
}

/** Pictures whose pixels vary together, as real ones do: with independent ones the nearest rounding is best. */
function picturesOf(seed: number, batch: number): Feeds {
  const { x } = randomFeeds(residual(), seed, { lengths: { batch } });
  const brightness = normals(seed + 1000, batch, 2);
  const size = x!.data.length / batch;
  return {
    x: float32(
      x!.shape,
      toFloat32(x!).map((pixel, i) => 0.5 * pixel + brightness[Math.floor(i / size)]!),
    ),
  };
}

const pictures = (count: number): CalibrationData =>
  dataOf(Array.from({ length: count / 8 }, (_, i) => picturesOf(i + 1, 8)));

const judge = picturesOf(99, 64);

async function sqnrOf(draft: Draft): Promise<number> {
  const float = { ...draft, weights: new Map(), grids: new Map() };
  return sqnrDb(await outputsOf(float, judge), await outputsOf(draft, judge));
}

describe("learnedRounding", () => {
  it("finds the best of all roundings of a small layer", async () => {
    // Inputs that vary together: the nearest rounding of each weight alone is far from the best.
    const [inputs, outputs, count] = [8, 4, 128];
    const common = normals(5, count);
    const own = normals(6, count * inputs, 0.5);
    const x = float32(
      [count, inputs],
      own.map((one, i) => one + common[Math.floor(i / inputs)]!),
    );
    const program = programOf({ x: ["batch", inputs] }, (e, { x: value }) => [
      e.emit("MatMul", [value!, weights("w", [inputs, outputs])], { output: "y" }),
    ]);
    const data = dataOf([{ x }]);
    const draft = await draftOf(program, data, { weights: 3, activations: 16, correction: "none" });
    const [learned] = await parts(draft, data, { iterations: 200 });
    const [layer] = draft.layers as [Layer];
    const quantized = draft.weights.get(layer)!.weights as ChannelWeights;
    const floats = toFloat32(layer.weight.constant!.load());
    const errorOf = (codes: ArrayLike<number>, channel: number): number => {
      let sum = 0;
      for (let n = 0; n < count; n++) {
        let error = 0;
        for (let k = 0; k < inputs; k++) {
          const at = outputs * k + channel;
          error +=
            (x.data as Float32Array)[n * inputs + k]! * (codes[at]! * quantized.grids[channel]!.scale - floats[at]!);
        }
        sum += error ** 2;
      }
      return sum;
    };
    const codes = (learned!.draft.weights.get(layer)!.weights as ChannelWeights).codes;
    let [before, after] = [0, 0];
    let best = 0;
    for (let channel = 0; channel < outputs; channel++) {
      const { scale } = quantized.grids[channel]!;
      const all = Array.from({ length: 2 ** inputs }, (_, choice) => {
        const up = (at: number): number => (choice >> Math.floor(at / outputs)) & 1;
        return errorOf(
          floats.map((weight, at) => Math.min(Math.max(Math.floor(weight / scale) + up(at), -4), 3)),
          channel,
        );
      });
      const least = Math.min(...all);
      after += errorOf(codes, channel);
      before += errorOf(quantized.codes, channel);
      best += least;
    }
    expect(before).toBeGreaterThan(1.5 * best);
    expect(after).toBeLessThan(1.1 * best);
  });

  it("brings the output closer to the float model, with scales and biases for pictures it has not seen", async () => {
    const data = pictures(64);
    const draft = await draftOf(residual(), data, {
      weights: 3,
      activations: 4,
      simulate: true,
      granularity: "tensor",
    });
    const all = await parts(draft, data, { iterations: 60, batchSize: 16 });
    expect(all.map(({ done, total }) => [done, total])).toEqual([[1, 3], [2, 3], [3, 3]]); // biome-ignore format: pairs
    const after = all.at(-1)!.draft;
    expect(await sqnrOf(after)).toBeGreaterThan(await sqnrOf(draft));
    expect(codesOf(after)).not.toEqual(codesOf(draft));
    for (const { weights: one } of after.weights.values()) {
      const { codes } = one as ChannelWeights;
      expect(Math.min(...codes)).toBeGreaterThanOrEqual(-4);
      expect(Math.max(...codes)).toBeLessThanOrEqual(3);
    }
    const scales = [...draft.grids.keys()].map((value) => [
      draft.grids.get(value)!.scale,
      after.grids.get(value)!.scale,
    ]);
    expect(scales.some(([before, learned]) => before !== learned)).toBe(true);
    // What shared a grid still does.
    for (const [value, source] of draft.plan.sameGridAs) {
      if (draft.grids.has(value)) expect(after.grids.get(value)).toBe(after.grids.get(source));
    }
  });

  it("changes nothing when nothing may move", async () => {
    const data = pictures(32);
    const draft = await draftOf(residual(), data);
    const all = await parts(draft, data, { iterations: 20, rates: { rounding: 0, bias: 0, scale: 0 } });
    expect(codesOf(all.at(-1)!.draft)).toEqual(codesOf(draft));
    expect(all.flatMap(({ notes }) => notes).every((note) => note!.includes("no better"))).toBe(true);
  });

  it("keeps a block as it was where learning makes it worse", async () => {
    const data = pictures(32);
    const draft = await draftOf(residual(), data, { weights: 8 });
    const after = (await parts(draft, data, { iterations: 20, rates: { rounding: 30, bias: 3 } })).at(-1)!.draft;
    expect(codesOf(after)).toEqual(codesOf(draft));
    expect(await sqnrOf(after)).toBeCloseTo(await sqnrOf(draft), 3);
  });

  it("leaves a valid draft as it was without time, and stops when asked", async () => {
    const data = pictures(32);
    const draft = await draftOf(residual(), data);
    const all = await parts(draft, data, {}, { deadlineMs: performance.now() });
    expect(codesOf(all.at(-1)!.draft)).toEqual(codesOf(draft));
    expect(all.flatMap(({ notes }) => notes)).toEqual(Array(3).fill(expect.stringContaining("no time left")));
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(parts(draft, data, {}, { signal })).rejects.toThrow("enough");
  });

  it("gives the same for the same seed, and goes on after parts that are done", async () => {
    const data = pictures(32);
    const draft = await draftOf(residual(), data, { weights: 3 });
    const options = { iterations: 20 };
    const [once, again] = [await parts(draft, data, options), await parts(draft, data, options)];
    expect(codesOf(again.at(-1)!.draft)).toEqual(codesOf(once.at(-1)!.draft));
    const rest = await parts(once[1]!.draft, data, options, { skip: 2 });
    expect(rest.map(({ done }) => done)).toEqual([3]);
    expect(codesOf(rest[0]!.draft).slice(0, 3)).toEqual(codesOf(once[1]!.draft).slice(0, 3));
  });
});

describe("TrainableBlock", () => {
  it("computes with decided roundings what the draft does", async () => {
    const program = programOf({ x: ["batch", 3, 6, 6] }, (e, { x }) => {
      const pads = { attributes: { pads: [1, 1, 1, 1] } };
      const first = e.emit("Relu", [e.emit("Conv", [x!, weights("a", [6, 3, 3, 3], 0.4), weights("b", [6])], pads)]);
      return [e.emit("Conv", [first, weights("c", [4, 6, 3, 3], 0.3)], { output: "y" })];
    });
    const feeds = randomFeeds(program, 3, { lengths: { batch: 8 } });
    const draft = await draftOf(program, dataOf([feeds]), { activations: 4, simulate: true, granularity: "tensor" });
    const blocks = findBlocks(draft.program, [...draft.weights.keys()]);
    expect(blocks.length).toBe(1);
    const block = new TrainableBlock(draft, blocks[0]!, { blocks, frozen: new Set() });
    const samples = new Samples("float32", [3, 6, 6], 8);
    samples.write(0, feeds.x!);
    const data = { feeds: new Map([["x", samples]]), float: undefined, input: undefined, count: 8, batchSize: 4 };
    const runner = await BlockRunner.create(block, data, "hard", runtime);
    const outputs = await runner.outputs(block.start, undefined);
    await runner.release();
    const expected = await outputsOf(draft, feeds);
    expect(sqnrDb(expected, toNumbers(outputs.take([0, 1, 2, 3, 4, 5, 6, 7])))).toBeGreaterThan(55);
    const made = block.draftOf(draft, block.start);
    expect(codesOf(made)).toEqual(codesOf(draft));
    expect(await outputsOf(made, feeds)).toEqual(expected);
  });
});
