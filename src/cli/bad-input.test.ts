/** Whatever is wrong: one clear message, the right exit code, and no file left behind. */
import { copyFile, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { constantValue } from "../program/index.ts";
import { float32, Tensor } from "../tensor/index.ts";
import {
  cyclicModel,
  EXAMPLE,
  EXAMPLE_MODEL,
  matMulModel,
  modelBytes,
  temporaryFolder,
  WEIGHTS,
  writeNpyFile,
} from "./models.cases.ts";
import { runMain } from "./run-main.cases.ts";

let folder = "";
const at = (...names: string[]): string => join(folder, ...names);

/** A model of pictures with three channels, of open size. */
const pictureModel = (): Uint8Array => {
  const weight = constantValue("weight", float32([4, 3, 3, 3], new Float32Array(108).fill(0.01)));
  return modelBytes([["picture", ["N", 3, "H", "W"]]], (emitter, [x]) => {
    const y = emitter.emit("Conv", [x!, weight], { name: "conv" });
    return emitter.emit("Flatten", [emitter.emit("GlobalAveragePool", [y])], { output: "scores" });
  });
};

/** Points the only tensor of a model to a file. */
async function externalModel(location: string): Promise<Uint8Array> {
  const { create, fromBinary, toBinary } = await import("@bufbuild/protobuf");
  const pb = await import("../onnx/generated/onnx_pb.ts");
  const model = fromBinary(pb.ModelProtoSchema, matMulModel(WEIGHTS));
  const tensor = model.graph!.initializer[0]!;
  tensor.rawData = new Uint8Array();
  tensor.floatData = [];
  tensor.dataLocation = pb.TensorProto_DataLocation.EXTERNAL;
  tensor.externalData = [create(pb.StringStringEntryProtoSchema, { key: "location", value: location })];
  return toBinary(pb.ModelProtoSchema, model);
}

async function solid(width: number, height: number): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: "#456789" } })
    .jpeg()
    .toBuffer();
}

async function writeModels(): Promise<void> {
  const example = await readFile(EXAMPLE_MODEL);
  const relu = modelBytes([["x", [1, 4]]], (emitter, [x]) => emitter.emit("Relu", [x!], { output: "y" }));
  const unknown = modelBytes([["x", ["batch", 4]]], (emitter, [x]) =>
    emitter.emit("Mystery", [x!], { domain: "com.example", output: "y" }),
  );
  const models: Readonly<Record<string, Uint8Array>> = {
    "text.onnx": new TextEncoder().encode("This is not a model."),
    "truncated.onnx": example.subarray(0, 5000),
    // Field 7 (graph), length-delimited, 2^63 - 1 bytes long.
    "absurd.onnx": Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
    "missing-weights.onnx": await externalModel("weights.bin"),
    "escaping-weights.onnx": await externalModel("../../etc/passwd"),
    "short-weights.onnx": await externalModel("short.bin"),
    "opset-99.onnx": modelBytes([["x", [1]]], (emitter, [x]) => emitter.emit("Relu", [x!], { output: "y" }), 99),
    "cyclic.onnx": cyclicModel(),
    "relu.onnx": relu,
    "unknown.onnx": unknown,
    "nan-weights.onnx": matMulModel([Number.NaN, ...WEIGHTS.slice(1)]),
    "scores.onnx": matMulModel(WEIGHTS),
    "pictures.onnx": pictureModel(),
    "example.onnx": example,
  };
  for (const [name, bytes] of Object.entries(models)) await writeFile(at(name), bytes);
}

async function writeData(): Promise<void> {
  for (const name of ["empty", "corrupt", "mixed", "labelled"]) await mkdir(at(name));
  await writeFile(at("short.bin"), new Uint8Array(8));
  await writeFile(at("corrupt", "a.jpg"), (await solid(40, 40)).subarray(0, 200));
  await writeFile(at("mixed", "a.jpg"), await solid(40, 30));
  await writeFile(at("mixed", "b.jpg"), await solid(30, 50));
  await writeFile(at("labelled", "a.jpg"), await solid(32, 32));
  await writeFile(at("labelled", "labels.csv"), "file,class_index\na.jpg,77\n");
  await writeNpyFile(at("nan.npy"), [2, 4], [1, 2, Number.NaN, 4, 5, 6, 7, 8]);
  await writeNpyFile(at("infinite.npy"), [2, 4], [1, 2, Number.POSITIVE_INFINITY, 4, 5, 6, 7, 8]);
  await writeNpyFile(
    at("wide.npy"),
    [2, 5],
    Array.from({ length: 10 }, (_, i) => i),
  );
  await writeFile(at("broken.npy"), "not an array");
  await symlink(at("example.onnx"), at("link.onnx"));
}

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeModels();
  await writeData();
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs a command that must fail, and checks everything but the words. */
async function failure(argv: readonly string[]): Promise<{ code: number; message: string }> {
  const before = await readdir(folder, { recursive: true });
  const { code, stdout, stderr } = await runMain([...argv, "--json", "--quiet"]);
  await rm(at("out.onnx"), { force: true });
  expect(stdout).toMatch(/^\{"error":/);
  const { error } = JSON.parse(stdout) as { error: { code: string; message: string } };
  expect(error.code).not.toBe("internal");
  expect(stderr).toBe(`error: ${error.message}\n`);
  expect(error.message).not.toContain("\n");
  expect((await readdir(folder, { recursive: true })).sort()).toEqual(before.sort());
  return { code, message: error.message };
}

const quantize = (model: string, ...flags: string[]): string[] => [
  "quantize",
  at(model),
  "-o",
  at("out.onnx"),
  ...flags,
];

describe("models that cannot be quantized", () => {
  it.each([
    ["text.onnx", "must be an ONNX model, got text"],
    ["truncated.onnx", "It may be truncated or damaged"],
    ["absurd.onnx", "must be"],
    ["none.onnx", "no such file or folder"],
    ["missing-weights.onnx", 'the weight file "weights.bin" must be in the model\'s folder'],
    ["escaping-weights.onnx", "the location of weights must be a path inside the model's folder"],
    ["short-weights.onnx", "short.bin"],
    ["opset-99.onnx", "operator set must be at most"],
    ["cyclic.onnx", "cycle"],
    ["relu.onnx", "layer"],
    ["unknown.onnx", "Mystery"],
    ["nan-weights.onnx", "NaN"],
  ])("%s: %s", async (model, words) => {
    const { code, message } = await failure(quantize(model));
    expect(code).toBe(1);
    expect(message).toContain(words);
  });
});

describe("calibration data that do not serve", () => {
  it.each([
    ["pictures.onnx", "empty", "must hold pictures"],
    ["pictures.onnx", "nowhere", "got nothing there"],
    ["pictures.onnx", "corrupt", "must be a whole picture"],
    ["scores.onnx", "labelled", "must take pictures"],
    ["scores.onnx", "nan.npy", "NaN"],
    ["scores.onnx", "infinite.npy", "inf"],
    ["scores.onnx", "wide.npy", "must fit the model's input"],
    ["scores.onnx", "broken.npy", "broken.npy"],
  ])("%s on %s: %s", async (model, data, words) => {
    const { code, message } = await failure(quantize(model, "--calibrate", at(data)));
    expect(code).toBe(1);
    expect(message.toLowerCase()).toContain(words.toLowerCase());
  });

  it("pictures of several sizes, without resizing, in one batch of an evaluation", async () => {
    const flags = ["--data", at("mixed"), "--resize", "none", "--crop", "none", "--batch", "2"];
    const { code, message } = await failure(["evaluate", at("pictures.onnx"), ...flags]);
    expect(code).toBe(1);
    expect(message).toContain("samples of one batch must have one shape");
  });

  it("but calibrates on pictures of several sizes, one at a time, where the model's size is open", async () => {
    const output = at("mixed-output.onnx");
    const flags = ["--calibrate", at("mixed"), "--resize", "none", "--crop", "none", "--output", output];
    expect(await runMain(quantize("pictures.onnx", ...flags))).toMatchObject({ code: 0 });
    await rm(output);
  });

  it("gray pictures for a model of three channels", async () => {
    const { code, message } = await failure(quantize("pictures.onnx", "--calibrate", EXAMPLE, "--channels", "gray"));
    expect(code).toBe(1);
    expect(message).toContain("1 channel");
  });
});

describe("labels and models that do not fit each other", () => {
  it("labels out of range", async () => {
    const { code, message } = await failure([
      "evaluate",
      at("pictures.onnx"),
      "--data",
      at("labelled"),
      "--timing",
      "0",
    ]);
    expect(code).toBe(1);
    expect(message).toContain("labels must be 0..3");
    expect(message).toContain("got 77 (a.jpg)");
  });

  it("models with outputs of different shape", async () => {
    const argv = ["compare", at("example.onnx"), at("small-head.onnx"), "--data", EXAMPLE, "--timing", "0"];
    const weight = constantValue("weight", float32([784, 3], new Float32Array(2352).fill(0.1)));
    const bytes = modelBytes([["x", ["batch", 1, 28, 28]]], (emitter, [x]) =>
      emitter.emit("MatMul", [emitter.emit("Flatten", [x!]), weight], { output: "y" }),
    );
    await writeFile(at("small-head.onnx"), bytes);
    await copyFile(join(EXAMPLE, "preprocessing.json"), at("preprocessing.json"));
    const { code } = await failure(argv);
    expect(code).toBe(1);
    await rm(at("preprocessing.json"));
  });
});

describe("wrong usage", () => {
  it.each([
    ["one bit", ["--weights", "1"], "from 2 to 8 or 16"],
    ["nine bits", ["--weights", "9"], "from 2 to 8 or 16"],
    ["half a bit", ["--activations", "4.5"], "from 2 to 8 or 16"],
    ["4-bit activations that nothing executes", ["--activations", "4"], "must be simulated"],
    ["an unknown range method", ["--range", "guess"], "Allowed choices are"],
    ["an unknown target", ["--target", "toaster"], "Allowed choices are"],
    ["no samples", ["--calibration-samples", "0"], "of at least 1"],
    ["a mean that is no number", ["--mean", "a,b"], "must be numbers"],
    ["an unknown option", ["--weight", "4"], "unknown option"],
  ])("%s", async (_, flags, words) => {
    const { code, message } = await failure(quantize("example.onnx", ...flags));
    expect(code).toBe(2);
    expect(message).toContain(words);
  });

  it.each(["example.onnx", "link.onnx"])("an output that is the input, as %s", async (name) => {
    const before = await readFile(at("example.onnx"));
    const argv = ["quantize", at("example.onnx"), "--output", at(name), "--force"];
    const { code, message } = await failure(argv);
    expect(code).toBe(2);
    expect(message).toContain("must be another file than the input");
    expect((await readFile(at("example.onnx"))).equals(before)).toBe(true);
  });

  it("a report that is the model's input or its output", async () => {
    expect((await failure(quantize("example.onnx", "--report", at("example.onnx"), "--force"))).code).toBe(2);
    expect(await failure(quantize("example.onnx", "--report", at("out.onnx")))).toMatchObject({
      code: 2,
      message: `--report: must be another file than the quantized model, got ${at("out.onnx")} for both.`,
    });
  });

  it("threads that are no whole number", async () => {
    const argv = ["evaluate", EXAMPLE_MODEL, "--data", EXAMPLE, "--device", "wasm", "--threads", "1.5"];
    expect((await failure(argv)).code).toBe(2);
  });
});

describe("models of other kinds", () => {
  it("several inputs, one of whole numbers, are quantized on arrays of their names", async () => {
    const { writeNpz } = await import("../data/index.ts");
    const table = constantValue(
      "table",
      float32(
        [10, 4],
        Array.from({ length: 40 }, (_, i) => Math.cos(i)),
      ),
    );
    const weight = constantValue("weight", float32([4, 3], WEIGHTS));
    const bytes = modelBytes(
      [
        ["tokens", ["batch", 4], "int64"],
        ["scale", ["batch", 4, 1]],
      ],
      (emitter, [tokens, scale]) => {
        const embedded = emitter.emit("Gather", [table, tokens!], { name: "embedding" });
        const scaled = emitter.emit("Mul", [embedded, scale!]);
        return emitter.emit("MatMul", [scaled, weight], { name: "dense", output: "scores" });
      },
    );
    await writeFile(at("two-inputs.onnx"), bytes);
    const arrays = new Map([
      [
        "tokens",
        new Tensor(
          "int64",
          [6, 4],
          BigInt64Array.from({ length: 24 }, (_, i) => BigInt(i % 10)),
        ),
      ],
      [
        "scale",
        float32(
          [6, 4, 1],
          Array.from({ length: 24 }, (_, i) => 1 + i / 24),
        ),
      ],
    ]);
    await writeFile(at("inputs.npz"), writeNpz(arrays));
    const argv = [
      "quantize",
      at("two-inputs.onnx"),
      "--calibrate",
      at("inputs.npz"),
      "-o",
      at("two.onnx"),
      "--json",
      "--quiet",
    ];
    const { code, stdout } = await runMain(argv);
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as { layers: { name: string }[] }).layers.map(({ name }) => name)).toContain("dense");
    const compared = await runMain([
      "compare",
      at("two-inputs.onnx"),
      at("two.onnx"),
      "--data",
      at("inputs.npz"),
      "--timing",
      "0",
      "--json",
      "--quiet",
    ]);
    expect(compared.code).toBe(0);
    expect((JSON.parse(compared.stdout) as { outputSqnrDb: number }).outputSqnrDb).toBeGreaterThan(25);
    const wrong = await failure([
      "quantize",
      at("two-inputs.onnx"),
      "--calibrate",
      at("wide.npy"),
      "-o",
      at("out.onnx"),
    ]);
    expect(wrong.code).toBe(1);
    expect(wrong.message).toContain("one array for each input of the model (tokens, scale)");
  });
});
