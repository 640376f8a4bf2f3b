import { describe, expect, it } from "vitest";
import { buildScope } from "../../test/nn/build-scope.ts";
import { DTypeError, OptionError, ShapeError } from "../errors.ts";
import { relu } from "./activations.ts";
import { batchNorm } from "./batch-norm.ts";
import { conv } from "./conv.ts";
import { convTranspose } from "./conv-transpose.ts";
import { embedding } from "./embedding.ts";
import { groupNorm } from "./group-norm.ts";
import { layerNorm } from "./layer-norm.ts";
import { linear } from "./linear.ts";
import { multiHeadAttention } from "./multi-head-attention.ts";
import { averagePool, maxPool } from "./pool.ts";
import { lstm } from "./recurrent.ts";
import { residual } from "./residual.ts";
import { sequential } from "./sequential.ts";
import { transformerEncoderLayer } from "./transformer-encoder-layer.ts";

describe("sequential", () => {
  it("names variables by index and key, as deep as layers are nested", () => {
    const { ops, scope, shapes } = buildScope();
    const model = sequential({
      stem: sequential([conv({ channels: 4, kernel: 3, bias: false }), batchNorm(), relu()]),
      block: residual(
        sequential([conv({ channels: 4, kernel: 3, padding: "same" })]),
        conv({ channels: 4, kernel: 1 }),
      ),
    });
    const y = model(ops.input("x", "float32", [2, 3, 8, 8]), scope);
    expect(y.shape).toEqual([2, 4, 6, 6]);
    expect(shapes()).toEqual({
      "stem.0.weight": [4, 3, 3, 3],
      "stem.1.weight": [4],
      "stem.1.bias": [4],
      "stem.1.runningMean": [4],
      "stem.1.runningVariance": [4],
      "block.body.0.weight": [4, 4, 3, 3],
      "block.body.0.bias": [4],
      "block.shortcut.weight": [4, 4, 1, 1],
      "block.shortcut.bias": [4],
    });
  });

  it("returns x from no layers", () => {
    const { ops, scope } = buildScope();
    const x = ops.input("x", "float32", [2]);
    expect(sequential([])(x, scope)).toBe(x);
  });

  it("refuses keys that JavaScript would sort, or that look like paths", () => {
    for (const key of ["0", "12", "a.b", ""]) expect(() => sequential({ [key]: relu() })).toThrow(OptionError);
    expect(() => sequential({ "1": relu() })).toThrow(
      'sequential: keys must be names without dots and not numbers, got "1". Give a list, or other names.',
    );
  });
});

describe("residual", () => {
  it("refuses a body that changes the shape", () => {
    const act = () => {
      const { ops, scope } = buildScope("blocks.0");
      return residual(linear(4))(ops.input("x", "float32", [2, 3]), scope);
    };
    expect(act).toThrow(ShapeError);
    expect(act).toThrow(
      "residual (blocks.0): body and input must have one shape, got [2, 4] and [2, 3]. " +
        "Give a shortcut that changes the shape as the body does.",
    );
  });
});

describe("parameters", () => {
  const cases = [
    ["linear", linear(3), [4, 5], { weight: [3, 5], bias: [3] }],
    ["conv", conv({ channels: 6, kernel: [3], groups: 2 }), [1, 4, 9], { weight: [6, 2, 3], bias: [6] }],
    [
      "convTranspose",
      convTranspose({ channels: 6, kernel: 2, groups: 2 }),
      [1, 4, 3, 3],
      { weight: [4, 3, 2, 2], bias: [6] },
    ],
    ["layerNorm", layerNorm({ axes: 2, bias: false }), [2, 3, 4], { weight: [3, 4] }],
    [
      "multiHeadAttention",
      multiHeadAttention({ heads: 2 }),
      [2, 3, 4],
      {
        "inputProjection.weight": [12, 4],
        "inputProjection.bias": [12],
        "outputProjection.weight": [4, 4],
        "outputProjection.bias": [4],
      },
    ],
    [
      "lstm",
      lstm({ features: 5, direction: "bidirectional" }),
      [2, 3, 4],
      Object.fromEntries(
        ["forward", "reverse"].flatMap((direction) => [
          [`${direction}.inputWeight`, [20, 4]],
          [`${direction}.hiddenWeight`, [20, 5]],
          [`${direction}.inputBias`, [20]],
          [`${direction}.hiddenBias`, [20]],
        ]),
      ),
    ],
  ] as const;

  it.each(cases)("of %s are shaped as PyTorch's", (_, layer, shape, expected) => {
    const { ops, scope, shapes } = buildScope();
    layer(ops.input("x", "float32", shape), scope);
    expect(shapes()).toEqual(expected);
  });
});

describe("options out of range", () => {
  const build = (layer: ReturnType<typeof relu>, shape: readonly number[]) => () => {
    const { ops, scope } = buildScope("stem");
    return layer(ops.input("x", "float32", shape), scope);
  };
  const image = [2, 4, 5, 5];

  it.each([
    ["linear: features must be a whole number of at least 1, got 0.", () => linear(0)],
    ["conv: channels must be a whole number of at least 1, got 2.5.", () => conv({ channels: 2.5, kernel: 3 })],
    ["embedding: count must be a whole number of at least 1, got -1.", () => embedding({ count: -1, features: 2 })],
    [
      "convTranspose: outputPadding must be less than the stride or the dilation, got [1, 1].",
      () => convTranspose({ channels: 1, kernel: 2, outputPadding: 1 }),
    ],
    [
      "conv (stem): kernel must be whole numbers of at least 1, one per axis of the kernel ([0, 0]), got [0, 0].",
      build(conv({ channels: 1, kernel: 0 }), image),
    ],
    [
      "conv (stem): stride must be whole numbers of at least 1, one per axis of the kernel ([3, 3]), got [1, 2, 3].",
      build(conv({ channels: 1, kernel: 3, stride: [1, 2, 3] }), image),
    ],
    [
      "conv (stem): the window must fit into the padded input, got a window of [9, 9] over [2, 4, 5, 5] with padding " +
        "[1, 1, 1, 1]. Pad more, or pool less before this layer.",
      build(conv({ channels: 1, kernel: 5, dilation: 2, padding: 1 }), image),
    ],
    [
      "conv (stem): channels of input and result must be multiples of groups (3), got 4 and 6.",
      build(conv({ channels: 6, kernel: 1, groups: 3 }), image),
    ],
    [
      "maxPool (stem): padding must be at most half the kernel [2, 2], got [2, 2, 2, 2].",
      build(maxPool({ kernel: 2, padding: 2 }), image),
    ],
    [
      "averagePool (stem): padding must be at most half the kernel [3, 3], got [2, 2, 2, 2].",
      build(averagePool({ kernel: 3, padding: 2 }), image),
    ],
    ["groupNorm (stem): channels must be a multiple of groups (3), got 4.", build(groupNorm({ groups: 3 }), image)],
    [
      "multiHeadAttention (stem): features must be a multiple of heads (4), got 6.",
      build(multiHeadAttention({ heads: 4 }), [2, 3, 6]),
    ],
    [
      "transformerEncoderLayer: feedForward must be a whole number of at least 1, got 0.",
      () => transformerEncoderLayer({ heads: 2, feedForward: 0 }),
    ],
  ])("are refused: %s", (message, act) => {
    expect(act).toThrow(message);
  });

  it("are refused for symbols that are no integers", () => {
    const { ops, scope } = buildScope("words");
    const act = () => embedding({ count: 4, features: 2 })(ops.input("x", "float32", [3]), scope);
    expect(act).toThrow(DTypeError);
    expect(act).toThrow("embedding (words): input must be int64 or int32, got float32. Convert it with cast.");
  });

  it("are refused for lengths that must be known", () => {
    const { ops, scope } = buildScope("head");
    expect(() => linear(2)(ops.input("x", "float32", [2, "features"]), scope)).toThrow(
      "linear (head): the number of inputs must be known when the program is built, got [2, features]. " +
        "Give the input a fixed length there.",
    );
  });
});
