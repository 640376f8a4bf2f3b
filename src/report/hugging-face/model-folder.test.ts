import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Preprocessing, parsePreprocessing } from "../../data/index.ts";
import { type ModelFile, writeModel } from "../../onnx/index.ts";
import { constantValue, Emitter, Graph, Program, Value } from "../../program/index.ts";
import { float32 } from "../../tensor/index.ts";
import { mobileNetV2Evaluations, mobileNetV2Report } from "../mobilenet-v2.cases.ts";
import { renameClassifier } from "./classifier-names.ts";
import { transformersDtype, transformersFileName } from "./dtype.ts";
import { modelCard } from "./model-card.ts";
import { modelFolder } from "./model-folder.ts";
import type { ModelVariant } from "./model-variant.ts";
import { preprocessorConfig } from "./preprocessor-config.ts";

const PREPROCESSING: Preprocessing = {
  resize: 256,
  crop: 224,
  interpolation: "bicubic",
  scale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
  layout: "nchw",
  channels: "rgb",
  dtype: "float32",
};

function classifier(inputShape: (number | string)[] = ["N", 3, 8, 8]): Program {
  const emitter = new Emitter();
  const input = new Value("data", "float32", inputShape);
  const pooled = emitter.emit("Flatten", [emitter.emit("GlobalAveragePool", [input])]);
  const head = constantValue("head", float32([3, 2], [1, 2, 3, 4, 5, 6]));
  const output = emitter.emit("MatMul", [pooled, head], { output: "prob", dtype: "float32", shape: ["N", 2] });
  return new Program(new Graph("g", { inputs: [input], outputs: [output], nodes: emitter.nodes }));
}

function renamed(): ModelFile {
  const program = classifier();
  renameClassifier(program);
  return writeModel(program);
}

const variant = (changes: Partial<ModelVariant>): ModelVariant => ({
  dtype: "q4",
  model: renamed(),
  report: null,
  evaluation: null,
  check: null,
  ...changes,
});

const FOLDER = { name: "owner/small", task: "image-classification", preprocessing: PREPROCESSING } as const;

test.each([
  [32, 32, "fp32", "model.onnx"],
  [8, 8, "q8", "model_quantized.onnx"],
  [5, 8, "q8", "model_quantized.onnx"],
  [8, 16, "int8", "model_int8.onnx"],
  [4, 8, "q4", "model_q4.onnx"],
  [4, 32, "q4", "model_q4.onnx"],
  [3, 16, "q4", "model_q4.onnx"],
  [2, 8, "q2", "model_q2.onnx"],
] as const)("weights of %d and activations of %d bits are %s in %s", (weightBits, activationBits, dtype, fileName) => {
  expect(transformersDtype({ weightBits, activationBits, target: "cpu" })).toBe(dtype);
  expect(transformersFileName(dtype)).toBe(fileName);
});

test("a simulated model has no name there", () => {
  expect(() => transformersDtype({ weightBits: 4, activationBits: 4, target: "simulate" })).toThrow(
    'a model for transformers.js must be deployable, got target "simulate"',
  );
});

describe("the folder", () => {
  test("has configuration, models and card at the paths transformers.js looks in", () => {
    const variants = [variant({ dtype: "fp32" }), variant({ dtype: "q8" }), variant({ dtype: "q4" })];
    const files = modelFolder({ ...FOLDER, variants, labels: ["cat", "dog"] });
    expect([...files.keys()]).toEqual([
      "config.json",
      "preprocessor_config.json",
      "quantize_config.json",
      "README.md",
      "onnx/model.onnx",
      "onnx/model_quantized.onnx",
      "onnx/model_q4.onnx",
    ]);
    expect(JSON.parse(files.get("config.json") as string)).toMatchObject({
      model_type: "resnet",
      num_labels: 2,
      id2label: { 0: "cat", 1: "dog" },
      label2id: { cat: 0, dog: 1 },
      "transformers.js_config": { dtype: "q8" },
    });
  });

  test("numbers the classes when they have no names", () => {
    const files = modelFolder({ ...FOLDER, variants: [variant({})] });
    expect(JSON.parse(files.get("config.json") as string).id2label).toEqual({ 0: "LABEL_0", 1: "LABEL_1" });
  });

  test("records how each quantized file was made", () => {
    const files = modelFolder({
      ...FOLDER,
      variants: [variant({ dtype: "fp32" }), variant({ report: mobileNetV2Report() })],
    });
    expect(JSON.parse(files.get("quantize_config.json") as string)).toMatchObject({
      modes: ["q4"],
      per_channel: true,
      modicum: {
        version: "0.1.0",
        files: [{ file: "onnx/model_q4.onnx", dtype: "q4", weight_bits: 4, activation_bits: 8, target: "cpu" }],
      },
    });
  });

  test("names weight files that transformers.js has to fetch too", () => {
    const external = { location: "model_q4.onnx_data", sizeBytes: 24, chunks: () => [] };
    const files = modelFolder({ ...FOLDER, variants: [variant({ model: { ...renamed(), external: [external] } })] });
    expect(files.get("onnx/model_q4.onnx_data")).toBe(external);
    expect(JSON.parse(files.get("config.json") as string)["transformers.js_config"]).toEqual({
      dtype: "q4",
      use_external_data_format: { "model_q4.onnx": 1 },
    });
  });

  test("takes models of other kinds without renaming, for AutoModel", () => {
    const files = modelFolder({ name: "x", task: "other", variants: [variant({ model: writeModel(classifier()) })] });
    expect(JSON.parse(files.get("config.json") as string).model_type).toBe("custom");
    expect(files.has("preprocessor_config.json")).toBe(false);
  });

  test.each<[string, Parameters<typeof modelFolder>[0], string]>([
    ["no variant", { ...FOLDER, variants: [] }, "there must be at least one variant, got none"],
    ["two of a dtype", { ...FOLDER, variants: [variant({}), variant({})] }, 'got "q4" twice'],
    [
      "a simulated one",
      { ...FOLDER, variants: [variant({ report: mobileNetV2Report({ deployable: false, target: "simulate" }) })] },
      'every variant must be deployable, got a simulated model as "q4"',
    ],
    [
      "weights under another name",
      {
        ...FOLDER,
        variants: [
          variant({ model: { ...renamed(), external: [{ location: "w.bin", sizeBytes: 1, chunks: () => [] }] } }),
        ],
      },
      'must lie in model_q4.onnx_data, got w.bin. Write the model with externalData: { location: "model_q4.onnx_data" }',
    ],
    [
      "the wrong number of labels",
      { ...FOLDER, variants: [variant({})], labels: ["only one"] },
      "one label for each of the 2 classes, got 1",
    ],
    [
      "no preprocessing",
      { name: "x", task: "image-classification", variants: [variant({})] },
      "an image classifier must come with its preprocessing, got none",
    ],
    [
      "names that transformers.js does not find",
      { ...FOLDER, variants: [variant({ model: writeModel(classifier()) })] },
      "must be called pixel_values and logits, got data and prob",
    ],
    [
      "an input that takes no pictures",
      { ...FOLDER, variants: [variant({ model: writeModel(classifier(["N", 3, 8])) })] },
      "the input must have rank 4 [batch, channels, height, width], got [N, 3, 8]",
    ],
  ])("is refused with %s", (_, options, message) => {
    expect(() => modelFolder(options)).toThrow(message);
  });
});

describe("preprocessing", () => {
  test("for the image processor says the same as ours: reading it back gives what went in", () => {
    // Red, green and blue in that order, float32 and NCHW are what image processors give: nothing says so in the file.
    const { layout: _layout, dtype: _dtype, channels: _channels, ...expected } = PREPROCESSING;
    const back = parsePreprocessing(JSON.parse(JSON.stringify(preprocessorConfig(PREPROCESSING))), "test");
    expect(back).toMatchObject({ ...expected, crop: [224, 224] });
  });

  test("of any size, scale and channel order survives the way there and back", () => {
    const side = fc.integer({ min: 1, max: 4096 });
    const size = fc.oneof(side, fc.tuple(side, side), fc.constant(null));
    const settings = fc.record({
      resize: size,
      crop: fc.oneof(fc.tuple(side, side), fc.constant(null)),
      interpolation: fc.constantFrom("nearest", "bilinear", "bicubic", "lanczos"),
      channels: fc.constantFrom("rgb", "bgr"),
      scale: fc.constantFrom(1, 1 / 255, 1 / 127.5),
    });
    fc.assert(
      fc.property(settings, (changes) => {
        const given = { ...PREPROCESSING, ...changes } as Preprocessing;
        const back = parsePreprocessing(JSON.parse(JSON.stringify(preprocessorConfig(given))), "test");
        for (const key of ["resize", "crop", "interpolation", "scale"] as const) {
          expect(back[key]).toEqual(given[key]);
        }
        expect(back.channels ?? "rgb").toBe(given.channels);
      }),
    );
  });

  test("in another layout is refused", () => {
    expect(() => preprocessorConfig({ ...PREPROCESSING, layout: "nhwc" })).toThrow(
      "must be float32 in layout nchw, got float32 in layout nhwc",
    );
  });
});

describe("the model card", () => {
  const [reference, quantized] = mobileNetV2Evaluations();
  const variants = [
    variant({ dtype: "fp32", evaluation: reference! }),
    variant({
      report: mobileNetV2Report(),
      evaluation: quantized!,
      check: { passed: true, detail: "loads and runs in onnxruntime-node" },
    }),
  ];
  const card = modelCard(variants, {
    ...FOLDER,
    baseModel: "owner/base",
    license: "apache-2.0",
    dataset: "500 pictures",
  });

  test("begins with front matter that the hub reads", () => {
    expect(card.split("---\n")[1]).toBe(
      [
        "library_name: transformers.js",
        'base_model: "owner/base"',
        "base_model_relation: quantized",
        'license: "apache-2.0"',
        "pipeline_tag: image-classification",
        "tags:",
        '  - "onnx"',
        '  - "quantized"',
        '  - "modicum"',
        '  - "int4"',
        'quantized_by: "modicum 0.1.0"',
        "",
      ].join("\n"),
    );
  });

  test("shows measured accuracy and size of each variant", () => {
    expect(card).toMatch(
      /\| `onnx\/model_q4\.onnx` +\| `q4` +\| 4-bit +\| 8-bit +\| .* 77\.4 \| .* 87\.2 \| +4\.41 ms \|/,
    );
    expect(card).toContain("Measured on 500 pictures with onnxruntime-node 1.30.0");
  });

  test("lists what was applied and whether its check passed", () => {
    expect(card).toContain(
      "- ✅ `q4`: `onnx/model_q4.onnx`, 4-bit weights, 8-bit activations, for cpu; top-1 77.4 %; loads and runs in onnxruntime-node",
    );
    const failed = modelCard([variant({ check: { passed: false, detail: "no kernel" } })], FOLDER);
    expect(failed).toContain("- ❌ `q4`: `onnx/model_q4.onnx`; accuracy not measured; no kernel");
  });

  test("shows usage with the dtype and names that the folder has", () => {
    expect(card).toContain('pipeline("image-classification", "owner/small", { dtype: "q4" })');
    expect(card).toContain('session.run({ "pixel_values": input })');
  });

  test("leaves out columns that nobody measured", () => {
    expect(modelCard([variant({})], FOLDER)).not.toMatch(/top-1 %|latency/);
    expect(modelCard([variant({})], FOLDER)).toContain("Accuracy and speed were not measured.");
  });

  test("no name ends the front matter, opens a tag or leaves its code block", () => {
    const attack = '---\n```\n</script><img src=x>"]';
    const hostile = modelCard([variant({ report: { ...mobileNetV2Report(), remarks: [attack] } })], {
      ...FOLDER,
      name: attack,
      baseModel: attack,
      license: attack,
      dataset: attack,
    });
    expect(hostile.match(/^---$/gm)).toHaveLength(2);
    expect(hostile.match(/^```/gm)).toHaveLength(4);
    expect(hostile.replace(/`[^`\n]*`|^const .*$|^base_model.*$|^license.*$/gm, "")).not.toMatch(/(?<!\\)<img/);
  });
});

test("a classifier is renamed in place, and only when it has one input and one output", () => {
  const program = classifier();
  renameClassifier(program);
  expect([program.graph.inputs[0]!.name, program.graph.outputs[0]!.name]).toEqual(["pixel_values", "logits"]);
  program.graph.outputs.push(program.graph.outputs[0]!);
  expect(() => renameClassifier(program)).toThrow(
    "image classifier: must have one input and one output, got inputs pixel_values and outputs logits, logits",
  );
});
