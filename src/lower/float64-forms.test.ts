import { beforeAll, describe, expect, it } from "vitest";
import { type Attributes, Ops } from "../build/index.ts";
import { writeModel } from "../onnx/index.ts";
import { Program, type Value } from "../program/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { int64, seededRandom, Tensor, toNumbers } from "../tensor/index.ts";
import { float64Forms } from "./float64-forms.ts";
import { lowerProgram } from "./lower-program.ts";

type Float = "float32" | "float64";
type Build = (ops: Ops, input: (shape: readonly number[]) => Value, dtype: Float) => Value | readonly Value[];

/** One operator of the given inputs; numbers are shapes of inputs, drawn between 0.1 and 0.9. */
function node(
  operator: string,
  shapes: readonly (readonly number[])[],
  attributes: Attributes = {},
  domain = "",
): Build {
  return (ops, input) => ops.emit(operator, shapes.map(input), attributes, { domain });
}

const image = [2, 4, 5, 6];
const elementwise = [
  ...["Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Atanh", "LeakyRelu", "Elu", "Selu", "Celu", "Softplus"],
  ...["Sigmoid", "Softsign", "HardSigmoid", "HardSwish", "Mish", "Erf", "Gelu", "Hardmax", "ThresholdedRelu"],
];
const microsoft = "com.microsoft";

/** Cases by the operator whose form they show. */
const cases: readonly (readonly [key: string, title: string, build: Build])[] = [
  ...elementwise.map((name) => [name, name, node(name, [[3, 4]])] as const),
  ["Acosh", "Acosh", (ops, input) => ops.emit("Acosh", [ops.add(input([3, 4]), 1)])],
  ["Elu", "Elu of negative numbers", (ops, input) => ops.emit("Elu", [ops.neg(input([3, 4]))], { alpha: 0.5 })],
  ["Celu", "Celu of negative numbers", (ops, input) => ops.emit("Celu", [ops.neg(input([3, 4]))], { alpha: 0.5 })],
  ["Selu", "Selu of negative numbers", (ops, input) => ops.emit("Selu", [ops.neg(input([3, 4]))])],
  ["LeakyRelu", "LeakyRelu of negative numbers", (ops, input) => ops.emit("LeakyRelu", [ops.neg(input([3]))])],
  ["Asinh", "Asinh of negative numbers", (ops, input) => ops.emit("Asinh", [ops.neg(input([3, 4]))])],
  ["Erf", "Erf of large numbers", (ops, input) => ops.emit("Erf", [ops.sub(ops.mul(input([8]), 20), 10)])],
  ["Gelu", "Gelu by tanh", node("Gelu", [[3, 4]], { approximate: "tanh" })],
  ["com.microsoft:Gelu", "Gelu of ONNX Runtime", node("Gelu", [[3, 4]], {}, microsoft)],
  ["com.microsoft:BiasGelu", "BiasGelu", node("BiasGelu", [[3, 4], [4]], {}, microsoft)],
  ["com.microsoft:QuickGelu", "QuickGelu", node("QuickGelu", [[3, 4]], {}, microsoft)],
  ["PRelu", "PRelu", (ops, input) => ops.emit("PRelu", [ops.sub(input([3, 4]), 0.5), input([4])])],
  ["Mean", "Mean", node("Mean", [[2, 3], [3], []])],
  ["Hardmax", "Hardmax along an axis in the middle", node("Hardmax", [[2, 3, 4]], { axis: 1 })],
  [
    "OneHot",
    "OneHot of other numbers than 0 and 1",
    (ops, input) =>
      ops.emit("OneHot", [ops.constant(int64([1, -1])), ops.constant(int64([3], [])), input([2])], { axis: 0 }),
  ],
  ["Shrink", "Shrink", node("Shrink", [[3, 4]], { bias: 0.2 })],
  ["Shrink", "Shrink of negative numbers", (ops, input) => ops.emit("Shrink", [ops.neg(input([3, 4]))], { bias: 0.2 })],
  [
    "LayerNormalization",
    "LayerNormalization over two axes",
    node("LayerNormalization", [[2, 3, 4], [3, 4], [4]], { axis: 1 }),
  ],
  [
    "SimplifiedLayerNormalization",
    "SimplifiedLayerNormalization",
    node("SimplifiedLayerNormalization", [[2, 3, 4], [4]], { axis: -1 }),
  ],
  ["GroupNormalization", "GroupNormalization", node("GroupNormalization", [image, [4], [4]], { num_groups: 2 })],
  ["MeanVarianceNormalization", "MeanVarianceNormalization", node("MeanVarianceNormalization", [image])],
  ["InstanceNormalization", "InstanceNormalization", node("InstanceNormalization", [image, [4], [4]])],
  ["LRN", "LRN", node("LRN", [image], { size: 3, alpha: 0.3, beta: 0.5, bias: 1.5 })],
  ["Det", "Det", node("Det", [[2, 4, 4]])],
  ["Det", "Det of size 1", node("Det", [[2, 1, 1]])],
  [
    "com.microsoft:SkipLayerNormalization",
    "SkipLayerNormalization",
    (ops, input) => {
      const inputs = [input([2, 3, 4]), input([2, 3, 4]), input([4]), input([4]), input([4])];
      const outputs = ops.emitAll("SkipLayerNormalization", inputs, 4, { epsilon: 1e-3 }, { domain: microsoft });
      return [outputs[0]!, outputs[3]!];
    },
  ],
  [
    "com.microsoft:SkipSimplifiedLayerNormalization",
    "SkipSimplifiedLayerNormalization",
    node("SkipSimplifiedLayerNormalization", [[2, 3, 4], [2, 3, 4], [4], [4]], { epsilon: 1e-3 }, microsoft),
  ],
  ["Conv", "Conv in 1-D", node("Conv", [[2, 4, 7], [3, 4, 3], [3]], { pads: [2, 0], strides: [2] })],
  [
    "Conv",
    "Conv with groups, strides, dilations and uneven pads",
    node("Conv", [image, [6, 2, 3, 2], [6]], { group: 2, strides: [2, 1], dilations: [1, 2], pads: [1, 0, 2, 1] }),
  ],
  ["Conv", "Conv with auto_pad", node("Conv", [image, [3, 4, 2, 3]], { auto_pad: "SAME_LOWER", strides: [2, 3] })],
  ["Conv", "Conv with auto_pad upper", node("Conv", [image, [3, 4, 2, 2]], { auto_pad: "SAME_UPPER" })],
  ["ConvTranspose", "ConvTranspose in 1-D", node("ConvTranspose", [[2, 4, 5], [4, 2, 3], [2]], { strides: [3] })],
  [
    "ConvTranspose",
    "ConvTranspose with groups, strides, dilations, pads and output padding",
    node("ConvTranspose", [image, [4, 3, 3, 2]], {
      group: 2,
      strides: [2, 3],
      dilations: [2, 1],
      pads: [1, 0, 0, 1],
      output_padding: [1, 0],
    }),
  ],
  [
    "ConvTranspose",
    "ConvTranspose with auto_pad",
    node("ConvTranspose", [image, [4, 3, 3, 2]], { auto_pad: "SAME_UPPER", strides: [2, 2] }),
  ],
  [
    "ConvTranspose",
    "ConvTranspose with a given output shape",
    node("ConvTranspose", [image, [4, 3, 3, 2]], { output_shape: [10, 13], strides: [2, 2] }),
  ],
  [
    "AveragePool",
    "AveragePool with pads that do not count",
    node("AveragePool", [image], { kernel_shape: [3, 2], pads: [1, 1, 1, 0], strides: [2, 1] }),
  ],
  [
    "AveragePool",
    "AveragePool with pads that count, rounding places up",
    node("AveragePool", [image], {
      kernel_shape: [3, 2],
      pads: [1, 0, 1, 0],
      strides: [2, 3],
      count_include_pad: 1,
      ceil_mode: 1,
    }),
  ],
  [
    "AveragePool",
    "AveragePool with auto_pad",
    node("AveragePool", [image], { kernel_shape: [2, 3], auto_pad: "SAME_LOWER" }),
  ],
  ["GlobalAveragePool", "GlobalAveragePool", node("GlobalAveragePool", [image])],
  ["GlobalMaxPool", "GlobalMaxPool", node("GlobalMaxPool", [image])],
];

let runtime: Runtime;
beforeAll(async () => {
  runtime = await nodeRuntime({ threads: 1 });
});

async function run(build: Build, dtype: Float): Promise<Float64Array[]> {
  const ops = new Ops();
  const random = seededRandom(3);
  const feeds: Record<string, Tensor> = {};
  const input = (shape: readonly number[]): Value => {
    const name = `x${Object.keys(feeds).length}`;
    const count = shape.reduce((a, b) => a * b, 1);
    const data = Float32Array.from({ length: count }, () => 0.1 + 0.8 * random.uniform());
    feeds[name] = new Tensor(dtype, shape, dtype === "float32" ? data : Float64Array.from(data));
    return ops.input(name, dtype, shape);
  };
  [build(ops, input, dtype)].flat().forEach((output, index) => {
    output.name = `y${index}`;
    ops.writer.graph.outputs.push(output);
  });
  const program = new Program(ops.writer.graph, ops.writer.opsets);
  if (dtype === "float64") lowerProgram(program, { device: "cpu" });
  const names = program.graph.outputs.map(({ name }) => name);
  const session = await runtime.createSession(writeModel(program));
  try {
    const results = await session.run(feeds);
    return names.map((name) => toNumbers(results[name]!));
  } finally {
    await session.release();
  }
}

describe("forms in float64", () => {
  it.each(cases)("%s: %s is what the operator computes in float32", async (_key, _title, build) => {
    const [wide, narrow] = [await run(build, "float64"), await run(build, "float32")];
    wide.forEach((values, output) => {
      const scale = Math.max(1, ...narrow[output]!.map(Math.abs));
      // Rounding of float32, in up to 24 operations after each other.
      const errors = values.map((value, element) => Math.abs(value - narrow[output]![element]!) / scale);
      expect(values.length).toBe(narrow[output]!.length);
      expect(Math.max(...errors)).toBeLessThan(2e-6);
    });
  });

  it("all have a case", () => {
    const covered = new Set(cases.map(([key]) => key));
    // RMSNormalization is newer than the operator set written here; SimplifiedLayerNormalization is the same.
    const shown = Object.keys(float64Forms).filter((key) => !covered.has(key));
    expect(shown).toEqual(["RMSNormalization"]);
  });

  const known: readonly (readonly [operator: string, x: number, y: number])[] = [
    ["Erf", 0.5, 0.5204998778130465],
    ["Erf", -2.5, -0.999593047982555],
    ["Atan", 1e-3, Math.atan(1e-3)],
    ["Atan", 50, 1.550798992821746],
    ["Asin", 1, Math.PI / 2],
    ["Acos", -1, Math.PI],
    ["Acosh", 1.001, Math.acosh(1.001)],
    ["Asinh", -1e-6, Math.asinh(-1e-6)],
    ["Atanh", 1e-6, Math.atanh(1e-6)],
    ["Softplus", -30, Math.log1p(Math.exp(-30))],
    ["Elu", -1e-9, Math.expm1(-1e-9)],
    ["Sinh", 1e-9, Math.sinh(1e-9)],
  ];
  it.each(known)("%s of %f is right to 15 digits", async (operator, x, y) => {
    const build: Build = (ops) => ops.emit(operator, [ops.constant(new Tensor("float64", [], Float64Array.of(x)))]);
    const [values] = await run(build, "float64");
    expect(Math.abs(values![0]! / y - 1)).toBeLessThan(2e-15);
  });
});
