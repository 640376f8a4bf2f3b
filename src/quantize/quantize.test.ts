import { describe, expect, it } from "vitest";
import { DataError, ModelFormatError, ModicumError, OptionError, UnsupportedError } from "../errors.ts";
import { readModel, writeModel } from "../onnx/index.ts";
import { constantValue, type Program, printProgram, Value } from "../program/index.ts";
import { float32, int64, Tensor, zeros } from "../tensor/index.ts";
import { run } from "./lowering/lower-model.cases.ts";
import type { Feeds, Progress, QuantizeOptions } from "./options.ts";
import { quantize } from "./quantize.ts";
import { dataOf, normals, numbers, programOf, randomFeeds, runtime, sqnrDb, weights } from "./small-models.cases.ts";

/** A small classifier with a batch norm, of pictures of any size. */
function classifier(): Program {
  return programOf({ x: ["batch", 3, "height", "width"] }, (e, { x }) => {
    const normalization = ["gamma", "beta", "mean", "variance"].map((name, i) =>
      numbers(
        name,
        [8],
        EIGHT.map((c) => [1 + c / 4, c - 3, c / 8, 1 + c][i]!),
      ),
    );
    const convolved = e.emit("Conv", [x!, weights("stem", [8, 3, 3, 3], 0.4)], { name: "stem" });
    const bounded = e.emit("Relu", [
      e.emit("BatchNormalization", [convolved, ...normalization], { output: "normalized" }),
    ]);
    const second = e.emit("Relu", [e.emit("Conv", [bounded, weights("body", [16, 8, 3, 3], 0.2)], { name: "body" })]);
    const pooled = e.emit("Flatten", [e.emit("GlobalAveragePool", [second])]);
    return [
      e.emit("Gemm", [pooled, weights("head", [16, 10], 0.5), weights("bias", [10])], {
        name: "head",
        output: "scores",
      }),
    ];
  });
}

const EIGHT = [0, 1, 2, 3, 4, 5, 6, 7];
const SIZE = { lengths: { batch: 2, height: 10, width: 12 } };
const pictures = (count = 3): Feeds[] =>
  Array.from({ length: count }, (_, seed) => randomFeeds(classifier(), seed + 1, SIZE));

function quantized(model: Program | Uint8Array, options: Partial<QuantizeOptions> = {}): ReturnType<typeof quantize> {
  return quantize(model, { runtime, ...options });
}

describe("quantize", () => {
  it("takes bytes or a program, and gives back a model that runs and reads back the same", async () => {
    const calibration = dataOf(pictures());
    const fromProgram = await quantized(classifier(), { calibration });
    const fromBytes = await quantized(writeModel(classifier()).bytes, { calibration });
    expect(fromBytes.model.bytes).toEqual(fromProgram.model.bytes);
    const again = readModel(fromBytes.model.bytes);
    expect(printProgram(again)).toBe(printProgram(readModel(fromProgram.model.bytes)));
    expect([again.producerName, again.producerVersion]).toEqual(["modicum", fromBytes.report.modicumVersion]);
    const feeds = pictures()[0]!;
    expect(sqnrDb(await run(classifier(), feeds), await run(again, feeds))).toBeGreaterThan(30);
  });

  it("leaves the caller's program as it was", async () => {
    const program = classifier();
    const before = printProgram(program);
    await quantized(program, { weights: 4, calibration: dataOf(pictures()) });
    expect(printProgram(program)).toBe(before);
  });

  it("gives the same bytes for the same seed, with and without data", async () => {
    for (const options of [{ calibration: dataOf(pictures()) }, {}]) {
      const [first, second] = [
        await quantized(classifier(), { ...options, seed: 7 }),
        await quantized(classifier(), { ...options, seed: 7 }),
      ];
      expect(second.model.bytes).toEqual(first.model.bytes);
    }
    const other = await quantized(plain(), { seed: 8 });
    expect(other.model.bytes).not.toEqual((await quantized(plain(), { seed: 7 })).model.bytes);
  });

  it("reports what it did: sizes, settings, samples, layers, in numbers that agree", async () => {
    const bytes = writeModel(classifier()).bytes;
    const { model, report } = await quantized(bytes, {
      weights: 4,
      policy: "paper",
      range: "min-max",
      calibration: dataOf(pictures()),
    });
    expect(report.input.sizeBytes).toBe(bytes.byteLength);
    expect(report.output.sizeBytes).toBe(model.bytes.byteLength);
    expect(report.input.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(report).toMatchObject({
      target: "cpu",
      deployable: true,
      runtime: runtime.description,
      settings: { weights: 4, activations: 8, policy: "paper" },
      calibration: { source: "test data", samples: 6, batches: 3 },
    });
    expect(Date.parse(report.date)).not.toBeNaN();
    expect(report.preparationDifference).toBeLessThan(1e-4);
    const [stem, body, head] = report.layers;
    expect(report.layers.map(({ name, operator, kind }) => [name, operator, kind])).toEqual([
      ["stem", "Conv", "conv"],
      ["body", "Conv", "conv"],
      ["head", "Gemm", "gemm"],
    ]);
    expect([stem, body, head].map((layer) => layer!.weightBits)).toEqual([8, 4, 8]);
    expect([stem, body, head].map((layer) => layer!.activationBits)).toEqual([8, 8, 32]);
    expect([stem!.note, body!.note]).toEqual(["first layer keeps 8 bits", null]);
    expect(body).toMatchObject({ weightCount: 1152, weightShape: [16, 8, 3, 3] });
    expect(body!.weightSqnrDb).toBeGreaterThan(15);
    expect(body!.weightSqnrDb).toBeLessThan(stem!.weightSqnrDb! - 15);
    expect(body!.activation).toMatchObject({ side: "one-sided", clipLow: 0, method: "min-max" });
    expect(report.meanWeightBits).toBeCloseTo((8 * 216 + 4 * 1152 + 8 * 160) / (216 + 1152 + 160), 10);
    expect(JSON.parse(JSON.stringify(report)).layers).toHaveLength(3);
  });

  it("tells its progress stage by stage", async () => {
    const seen: Progress[] = [];
    await quantized(classifier(), { calibration: dataOf(pictures()), onProgress: (progress) => seen.push(progress) });
    const stages = seen.map(({ stage }) => stage).filter((stage, i, all) => stage !== all[i - 1]);
    expect(stages).toEqual(["prepare", "calibrate", "measure"]);
    expect(
      seen.filter(({ stage }) => stage === "calibrate").map(({ done, total, unit }) => [done, total, unit]),
    ).toEqual([
      [2, 3, "samples"],
      [4, 3, "samples"],
      [6, 3, "samples"],
    ]); // `dataOf` counts batches: whatever the data say is passed on.
    for (const stage of stages) expect(seen.findLast((progress) => progress.stage === stage)!.done).toBeGreaterThan(0);
  });

  it.each([
    ["before it begins", undefined, 0],
    ["after the model is prepared", "prepare", 1],
    ["between batches", "calibrate", 4],
    ["before clips are chosen and weights rounded", "calibrate", 6],
    ["before the result is measured", "measure", 0],
  ])("stops %s when asked to", async (_, stage, done) => {
    const stop = new AbortController();
    const abort = (): void => stop.abort(new Error("changed my mind"));
    if (stage === undefined) abort();
    const seen: Progress[] = [];
    const onProgress = (progress: Progress): void => {
      seen.push(progress);
      if (progress.stage === stage && progress.done === done) abort();
    };
    const options = { calibration: dataOf(pictures()), signal: stop.signal, onProgress };
    await expect(quantized(classifier(), options)).rejects.toThrow("changed my mind");
    if (stage !== undefined) expect(seen.at(-1)).toMatchObject({ stage, done });
  });

  it.each(["cpu", "portable", "webgpu"] as const)("stores weights that layers share once, for %s", async (target) => {
    const program = programOf({ x: ["batch", 96, 6, 6], rows: ["batch", 96] }, (e, { x, rows }) => {
      const [kernel, matrix] = [weights("kernel", [96, 96, 1, 1], 0.1), weights("matrix", [96, 96], 0.1)];
      const first = e.emit("Relu", [e.emit("Conv", [x!, kernel], { name: "first" })]);
      const product = e.emit("Tanh", [e.emit("MatMul", [rows!, matrix], { name: "third" })]);
      return [
        e.emit("Conv", [first, kernel], { name: "second", output: "y" }),
        e.emit("MatMul", [product, matrix], { name: "fourth", output: "z" }),
      ];
    });
    const feeds = randomFeeds(program, 1, { lengths: { batch: 2 } });
    const options = { weights: 4, policy: "uniform", target, calibration: dataOf([feeds]) } as const;
    const { program: made, report } = await quantized(program, options);
    const bytes = made.graph.nodes
      .flatMap((node) => node.inputs.flatMap((input) => (input?.constant ? [input] : [])))
      .filter((value, i, all) => all.indexOf(value) === i)
      .map(({ constant }) => (constant!.load().data as Uint8Array).byteLength);
    // Two tables of 96 x 96 codes of four bits.
    expect(bytes.filter((length) => length >= (96 * 96) / 2)).toEqual([(96 * 96) / 2, (96 * 96) / 2]);
    for (const layer of report.layers) expect(layer.sqnrDb, layer.name).toBeGreaterThan(10);
  });

  it("measures a simulation with activations alone", async () => {
    const { report } = await quantized(classifier(), {
      simulate: true,
      weights: 16,
      activations: 4,
      calibration: dataOf(pictures()),
    });
    expect(report).toMatchObject({ target: "simulate", deployable: false, meanWeightBits: 32 });
    for (const layer of report.layers) {
      expect(layer.weightBits).toBe(32);
      expect(layer.activationBits).toBeGreaterThan(3);
      expect(layer.sqnrDb).toBeLessThan(60);
    }
  });
});

/** One convolution, without a batch norm. */
function plain(): Program {
  return programOf({ x: [1, 3, 8, 8] }, (e, { x }) => [
    e.emit("Conv", [x!, weights("w", [4, 3, 3, 3])], { output: "y" }),
  ]);
}

describe("quantize without data", () => {
  it("uses what batch norms say, and synthetic input for the rest", async () => {
    const { report } = await quantized(classifier(), { range: "min-max" });
    expect(report.calibration.source).toMatch(/^data-free: batch-norm statistics for \d+ tensors, synthetic input/);
    expect(report.remarks.join()).toMatch(/No calibration data were given/);
    // Channel 7 of the norm: mean 4, deviation 2.75; six of those.
    expect(report.layers[0]!.activation!.clipHigh).toBeCloseTo(4 + 6 * 2.75, 1);
  });

  it("says so when it has nothing but synthetic input", async () => {
    const { report } = await quantized(plain());
    expect(report.calibration).toEqual({ source: "synthetic input (seeded noise)", samples: 16, batches: 16 });
  });
});

describe("quantize refuses", () => {
  async function refusal(model: Program | Uint8Array, options: Partial<QuantizeOptions> = {}): Promise<Error> {
    return quantized(model, options).then(
      () => new Error("nothing was refused"),
      (error: Error) => error,
    );
  }

  it("bytes that are no model", async () => {
    expect(await refusal(new Uint8Array([1, 2, 3]))).toBeInstanceOf(ModelFormatError);
    expect(await refusal(new Uint8Array())).toBeInstanceOf(ModelFormatError);
  });

  it("a model that is quantized already", async () => {
    const { model } = await quantized(plain());
    const error = await refusal(model.bytes);
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error.message).toBe(
      "quantize: the model must be a float model, got one that is quantized already. Quantize the model it was made from.",
    );
  });

  it("a model without layers, and one whose layers cannot be quantized, with the reasons", async () => {
    const none = await refusal(programOf({ x: [1, 4] }, (e, { x }) => [e.emit("Relu", [x!])]));
    expect(none).toBeInstanceOf(UnsupportedError);
    expect(none.message).toBe(
      "quantize: the model must have a layer with constant float weights (Conv, Gemm, MatMul, Gather, ...), got none.",
    );
    const product = await refusal(
      programOf({ x: [4, 4] }, (e, { x }) => [e.emit("MatMul", [x!, x!], { name: "square" })]),
    );
    expect(product.message).toMatch(
      /got 1 that cannot be \(MatMul \(square\): it has no constant weights: both operands are computed at run time\)\.$/,
    );
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("weights that are %d", async (bad) => {
    const values = normals(1, 108);
    values[40] = bad;
    const program = programOf({ x: [1, 3, 8, 8] }, (e, { x }) => [
      e.emit("Conv", [x!, constantValue("w", float32([4, 3, 3, 3], values))], { name: "only" }),
    ]);
    const error = await refusal(program);
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toBe(`quantize: weights must be finite, got ${bad} in w of Conv (only).`);
  });

  it("activations that are not finite", async () => {
    const data = normals(1, 192);
    data[5] = Number.NaN;
    const error = await refusal(plain(), { calibration: dataOf([{ x: float32([1, 3, 8, 8], data) }]) });
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(
      /activations must be finite, got NaN in (x|y)\. Check the model's weights and the preprocessing/,
    );
  });

  it("calibration data without samples", async () => {
    const error = await refusal(plain(), { calibration: dataOf([], "an empty folder") });
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toBe(
      "calibrate: there must be at least one calibration sample, got none from an empty folder.",
    );
  });

  it.each([
    ["a wrong name", { picture: zeros("float32", [1, 3, 8, 8]) }],
    ["a wrong shape", { x: zeros("float32", [1, 1, 8, 8]) }],
    ["a wrong type", { x: zeros("uint8", [1, 3, 8, 8]) }],
  ])("calibration data of %s", async (_, feeds) => {
    const error = await refusal(plain(), { calibration: dataOf([feeds]) });
    expect(error).toBeInstanceOf(ModicumError);
    expect(error.message).toMatch(/^run: .*got/);
  });

  it("options before anything else", async () => {
    expect(await refusal(plain(), { weights: 9 })).toBeInstanceOf(OptionError);
    expect(await refusal(plain(), { activations: 4 })).toBeInstanceOf(OptionError);
  });
});

describe("quantize copes with", () => {
  it("several inputs of several types", async () => {
    const index = new Value("index", "int64", ["batch", 4]);
    const mask = new Value("mask", "bool", ["batch", 4]);
    const program = programOf({ x: ["batch", 4, 16] }, (e, { x }) => {
      const table = e.emit("Gather", [weights("table", [9, 16]), index], { name: "lookup" });
      const chosen = e.emit("Where", [e.emit("Unsqueeze", [mask, constantValue("axes", int64([-1]))]), x!, table]);
      return [e.emit("MatMul", [chosen, weights("w", [16, 5], 0.3)], { name: "product", output: "y" })];
    });
    program.graph.inputs.push(index, mask);
    const { report, program: result } = await quantized(program);
    expect(report.layers.map(({ name, weightBits }) => [name, weightBits])).toEqual([["lookup", 8], ["product", 8]]);
    const feeds = {
      x: float32([2, 4, 16], normals(1, 128)),
      index: int64([0, 1, 2, 3, 4, 5, 6, 8], [2, 4]),
      mask: new Tensor("bool", [2, 4], Uint8Array.of(1, 0, 1, 0, 1, 0, 1, 0)),
    };
    // Ranges are guesses from noise: enough for numbers like it.
    expect(sqnrDb(await run(program, feeds), await run(result, feeds))).toBeGreaterThan(20);
  }); // biome-ignore format: short

  it("inputs of which only the rank is known", async () => {
    const program = programOf({ x: [null, null, null, null] }, (e, { x }) => {
      const first = e.emit("Relu", [e.emit("Conv", [x!, weights("a", [4, 3, 3, 3], 0.3)])]);
      return [e.emit("Conv", [first, weights("b", [4, 4, 3, 3], 0.3)], { output: "y" })];
    });
    const feeds = [2, 1].map((count) => ({ x: float32([count, 3, 8, 9], normals(count, 216 * count)) }));
    const { program: result } = await quantized(program, { calibration: dataOf(feeds) });
    expect(sqnrDb(await run(program, feeds[0]!), await run(result, feeds[0]!))).toBeGreaterThan(30);
  });

  it.each([9, 12, 13, 20, 21, 22, 24, 26])("models of opset %i, for every target", async (opset) => {
    const program = classifier();
    program.opsets.set("", opset);
    program.irVersion = opset > 21 ? 10 : 8;
    const feeds = pictures()[0]!;
    const expected = await run(program, feeds);
    const calibration = dataOf(pictures());
    const forms = [{}, { target: "webgpu" }, { target: "portable" }, { weights: 4 }, { simulate: true }] as const;
    for (const options of forms) {
      const { program: result } = await quantized(program, { ...options, calibration });
      expect(result.opset).toBe(Math.max(opset, "weights" in options ? 21 : 13));
      expect(sqnrDb(expected, await run(result, feeds))).toBeGreaterThan("weights" in options ? 15 : 25);
    }
  });

  // ONNX Runtime 1.30 makes a Softmax between quantized values an integer one, which overflows where all results are small.
  it.each(["cpu", "portable"] as const)("a Softmax over many classes between layers, for %s", async (target) => {
    const program = programOf({ x: [1, 8, 6, 6] }, (e, { x }) => {
      const bins = e.emit("Reshape", [
        e.emit("Conv", [x!, weights("a", [64, 8, 1, 1], 0.03)]),
        constantValue("shape", int64([1, 4, 16, 36])),
      ]);
      const moved = e.emit("Transpose", [bins], { attributes: { perm: [0, 2, 1, 3] } });
      const likely = e.emit("Softmax", [moved], { attributes: { axis: 1 } });
      return [e.emit("Conv", [likely, weights("b", [1, 16, 1, 1])], { output: "y" })];
    });
    const feeds = randomFeeds(program);
    const { program: result } = await quantized(program, { target, calibration: dataOf([feeds]) });
    expect(sqnrDb(await run(program, feeds), await run(result, feeds))).toBeGreaterThan(40);
  });

  it("operators of ONNX Runtime's own, leaving them in float", async () => {
    const program = programOf({ x: [2, 4, 8, 8] }, (e, { x }) => {
      const first = e.emit("Conv", [x!, weights("a", [4, 4, 3, 3], 0.2)]);
      const own = e.emit("QuickGelu", [first], { domain: "com.microsoft", dtype: "float32", shape: [2, 4, 6, 6] });
      return [e.emit("Conv", [own, weights("b", [4, 4, 3, 3], 0.2)], { output: "y" })];
    });
    program.opsets.set("com.microsoft", 1);
    const { program: result } = await quantized(program);
    expect(result.graph.nodes.filter(({ operator }) => operator === "QuickGelu")).toHaveLength(1);
    expect(result.graph.nodes.filter(({ operator }) => operator === "QLinearConv")).toHaveLength(2);
    const feeds = randomFeeds(program);
    expect(sqnrDb(await run(program, feeds), await run(result, feeds))).toBeGreaterThan(20);
  });

  it("a layer whose weights are all zero, and one whose output is constant", async () => {
    const program = programOf({ x: [1, 2, 4, 4] }, (e, { x }) => {
      const dead = e.emit(
        "Conv",
        [x!, constantValue("w", zeros("float32", [2, 2, 1, 1])), numbers("b", [2], [1, -1])],
        { name: "dead" },
      );
      return [e.emit("Conv", [e.emit("Relu", [dead]), weights("v", [2, 2, 1, 1])], { output: "y" })];
    });
    for (const options of [{}, { weights: 4, simulate: true, activations: 4 }, { target: "portable" }] as const) {
      const { program: result, report } = await quantized(program, options);
      expect(report.layers[0]!.weightSqnrDb).toBe(Number.POSITIVE_INFINITY);
      const feeds = randomFeeds(program);
      expect(sqnrDb(await run(program, feeds), await run(result, feeds))).toBeGreaterThan(15);
    }
  });
});
