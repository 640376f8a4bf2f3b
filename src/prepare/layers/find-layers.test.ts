import { describe, expect, it } from "vitest";
import { constantValue, Emitter, Graph, Node, Program, Value } from "../../program/index.ts";
import { int64, Tensor } from "../../tensor/index.ts";
import { numbers, programOf, weights } from "../check-pass.cases.ts";
import { findLayers } from "./find-layers.ts";
import type { Layer } from "./layer.ts";

/** The layers of a program with one float input. */
function layersOf(shape: readonly number[], build: (emitter: Emitter, x: Value) => readonly Value[]): Layer[] {
  return findLayers(programOf({ x: shape }, (emitter, { x }) => build(emitter, x!)));
}

const only = (layers: readonly Layer[]): Layer => {
  expect(layers).toHaveLength(1);
  return layers[0]!;
};

describe("findLayers: weights and axes", () => {
  it("describes convolutions by their groups and the axes they move along", () => {
    const conv = (shape: readonly number[], weight: readonly number[], group: number): Layer =>
      only(layersOf(shape, (e, x) => [e.emit("Conv", [x, weights("w", weight)], { attributes: { group } })]));
    expect(conv([1, 4, 8], [6, 4, 3], 1)).toMatchObject({ kind: "conv", spatialRank: 1, groups: 1 });
    expect(conv([1, 4, 8, 8], [6, 2, 3, 3], 2)).toMatchObject({ kind: "conv", spatialRank: 2, groups: 2 });
    expect(conv([1, 4, 8, 8], [8, 1, 3, 3], 4)).toMatchObject({ kind: "depthwise-conv", groups: 4 });
    expect(conv([1, 1, 8, 8], [8, 1, 3, 3], 1)).toMatchObject({ kind: "conv" });
    expect(conv([1, 2, 4, 4, 4], [3, 2, 2, 2, 2], 1)).toMatchObject({
      kind: "conv", spatialRank: 3, outputChannelAxis: 0, inputChannelAxis: 1, reason: undefined,
    }); // biome-ignore format: a table
  });

  it("knows that transposed convolutions hold their output channels on axis 1", () => {
    const layer = only(layersOf([1, 4, 5, 5], (e, x) => [e.emit("ConvTranspose", [x, weights("w", [4, 3, 2, 2])])]));
    expect(layer).toMatchObject({ kind: "conv-transpose", outputChannelAxis: 1, inputChannelAxis: 0 });
  });

  it("knows which way a Gemm's weights lie, and its bias", () => {
    const gemm = (weight: readonly number[], transB: number): Layer =>
      only(
        layersOf([2, 5], (e, x) => [
          e.emit("Gemm", [x, weights("w", weight), weights("b", [3])], { attributes: { transB } }),
        ]),
      );
    expect(gemm([5, 3], 0)).toMatchObject({ kind: "gemm", outputChannelAxis: 1, inputChannelAxis: 0 });
    const transposed = gemm([3, 5], 1);
    expect(transposed).toMatchObject({ outputChannelAxis: 0, inputChannelAxis: 1, biasNode: undefined });
    expect(transposed.bias!.name).toBe("b");
  });

  it("takes the Add after a MatMul for its bias, whatever the rank", () => {
    const layer = only(layersOf([2, 4, 5], (e, x) => {
      const product = e.emit("MatMul", [x, weights("w", [5, 3])]);
      return [e.emit("Relu", [e.emit("Add", [weights("b", [3]), product], { output: "sum" })], { output: "y" })];
    }));
    expect(layer).toMatchObject({ kind: "matmul", outputChannelAxis: 1, inputChannelAxis: 0, side: "one-sided" });
    expect([layer.bias!.name, layer.biasNode!.operator, layer.output.name, layer.result.name]).toEqual(["b", "Add", "sum", "y"]);
  }); // biome-ignore format: kept short

  it("lists both weights of a recurrent layer", () => {
    const layers = layersOf([3, 1, 4], (e, x) => [
      e.emit("LSTM", [x, weights("w", [1, 20, 4]), weights("r", [1, 20, 5])], { attributes: { hidden_size: 5 } }),
    ]);
    expect(layers.map(({ kind, weight, weightIndex }) => [kind, weight.name, weightIndex])).toEqual([
      ["recurrent", "w", 1],
      ["recurrent", "r", 2],
    ]);
    expect(layers[0]).toMatchObject({ outputChannelAxis: 1, inputChannelAxis: 2, reason: undefined });
  });

  it("takes a Gather of rows of a float table for an embedding, and other Gathers for none", () => {
    const indices = new Value("indices", "int64", [1, 4]);
    const emitter = new Emitter();
    const rows = emitter.emit("Gather", [weights("table", [10, 8]), indices]);
    const shape = emitter.emit("Gather", [emitter.emit("Shape", [rows]), constantValue("i", int64([0]))]);
    const program = new Program(new Graph("g", { inputs: [indices], nodes: emitter.nodes, outputs: [rows, shape] }));
    const layer = only(findLayers(program));
    expect(layer).toMatchObject({ kind: "embedding", weightIndex: 0, outputChannelAxis: 0, inputChannelAxis: 1 });
    expect(layer).toMatchObject({ input: indices, isFirst: true, side: "two-sided" });
  });

  it("takes float16 weights for float", () => {
    const half = constantValue("w", new Tensor("float16", [2, 3, 1, 1], new Uint16Array(6)));
    const program = programOf({ x: [1, 3, 4, 4] }, (e, { x }) => [e.emit("Conv", [x, half])], { dtype: "float16" });
    expect(only(findLayers(program)).reason).toBeUndefined();
  });
});

describe("findLayers: why a layer cannot be quantized", () => {
  it.each<[string, string, (emitter: Emitter, x: Value) => Value]>([
    ["a product of activations", "both operands are computed at run time", (e, x) => e.emit("MatMul", [x, e.emit("Neg", [x])])],
    ["weights on the left", "its weights are the left operand", (e, x) => e.emit("MatMul", [weights("w", [3, 4]), x])],
    ["batches of weights", "its weights have 3 axes, not 2", (e, x) => e.emit("MatMul", [x, weights("w", [2, 4, 3])])],
    ["an Einsum", "Einsum is not supported", (e, x) => e.emit("Einsum", [x, weights("w", [4, 3])], { attributes: { equation: "ij,jk->ik" } })],
    ["weights that are needed in float too", "its weights are also used by Add (sum)", (e, x) => {
      const w = weights("w", [4, 4]);
      return e.emit("Add", [e.emit("MatMul", [x, w]), w], { name: "sum" });
    }],
    ["weights that are quantized", "its weights are quantized already", (e, x) => {
      const codes = constantValue("codes", new Tensor("int8", [4, 4], new Int8Array(16)));
      return e.emit("MatMul", [x, e.emit("DequantizeLinear", [codes, numbers("scale", [], [1])])]);
    }],
  ])("says so of %s", (_, reason, build) => {
    expect(only(layersOf([4, 4], (e, x) => [build(e, x)])).reason).toContain(reason);
  }); // biome-ignore format: a table

  it("says so of integer and double weights, and of inputs with a default", () => {
    const x = new Value("x", "float32", [1, 4]);
    const reasonOf = (weight: Value, inputs: readonly Value[] = [x]): string | undefined => {
      const y = new Value("y");
      const graph = new Graph("g", {
        inputs: [...inputs],
        nodes: [new Node("MatMul", [x, weight], [y])],
        outputs: [y],
      });
      return only(findLayers(new Program(graph))).reason;
    };
    expect(reasonOf(constantValue("w", int64([1, 2, 3, 4], [4, 1])))).toBe("its weights are int64");
    expect(reasonOf(constantValue("w", new Tensor("float64", [4, 1], new Float64Array(4))))).toBe(
      "its weights are float64",
    );
    const given = weights("w", [4, 1]);
    expect(reasonOf(given, [x, given])).toContain("callers may override");
  });

  it("lists layers of sub-graphs with the node that holds them", () => {
    const flag = new Value("flag", "bool", []);
    const x = new Value("x", "float32", [1, 4]);
    const branch = (name: string): Graph => {
      const inner = new Emitter();
      const output = inner.emit("MatMul", [x, weights("w", [4, 2])], { output: name });
      return new Graph(name, { nodes: inner.nodes, outputs: [output] });
    };
    const y = new Value("y");
    const attributes = { then_branch: branch("then"), else_branch: branch("else") };
    const graph = new Graph("g", {
      inputs: [flag, x],
      nodes: [new Node("If", [flag], [y], { attributes, name: "choice" })],
      outputs: [y],
    });
    const layers = findLayers(new Program(graph));
    expect(layers.map(({ reason }) => reason)).toEqual(Array(2).fill("it is inside a sub-graph of If (choice)"));
  });
});

describe("findLayers: places in the network", () => {
  /** Scaled input, a residual block, pooling and a classifier. */
  function residualNetwork(): Layer[] {
    return layersOf([1, 3, 8, 8], (e, x) => {
      const attributes = { pads: [1, 1, 1, 1] };
      const conv = (input: Value, channels: number, name: string): Value =>
        e.emit("Conv", [input, weights(name, [4, channels, 3, 3])], { attributes, output: name });
      const scaled = e.emit("Div", [e.emit("Sub", [x, numbers("mean", [], [0.5])]), numbers("std", [], [0.2])]);
      const stem = e.emit("Relu", [conv(scaled, 3, "stem")]);
      const block = conv(e.emit("Relu", [conv(stem, 4, "a")]), 4, "b");
      const sum = e.emit("Relu", [e.emit("Add", [block, stem])]);
      const flat = e.emit("Flatten", [e.emit("GlobalAveragePool", [sum])]);
      return [e.emit("Softmax", [e.emit("Gemm", [flat, weights("fc", [4, 10])])])];
    });
  }

  it("finds the first layer behind preprocessing and the classifier before Softmax", () => {
    const places = residualNetwork().map(({ weight, isFirst, isLast, isClassifier }) => [
      weight.name,
      isFirst,
      isLast,
      isClassifier,
    ]);
    expect(places).toEqual([
      ["stem", true, false, false],
      ["a", false, false, false],
      ["b", false, false, false],
      ["fc", false, true, true],
    ]);
  });

  it("finds what is added to another activation: two-sided without a ReLU of its own", () => {
    const layers = residualNetwork().map(({ weight, side, feedsResidualAdd }) => [weight.name, side, feedsResidualAdd]);
    expect(layers).toEqual([
      ["stem", "one-sided", true],
      ["a", "one-sided", false],
      ["b", "two-sided", true],
      ["fc", "two-sided", false],
    ]);
  });

  it.each<[string, boolean, (emitter: Emitter, conv: Value) => Value]>([
    [
      "averaged over the image",
      true,
      (e, conv) => e.emit("Flatten", [e.emit("GlobalAveragePool", [e.emit("Relu", [conv])])]),
    ],
    ["reshaped to a matrix", true, (e, conv) => e.emit("Reshape", [conv, constantValue("to", int64([1, -1]))])],
    ["an image", false, (e, conv) => e.emit("DepthToSpace", [conv], { attributes: { blocksize: 2 } })],
    ["scores per pixel", false, (e, conv) => e.emit("Softmax", [conv], { attributes: { axis: 1 } })],
  ])("calls a last convolution whose result is %s a classifier: %s", (_, isClassifier, build) => {
    const layer = only(layersOf([1, 3, 4, 4], (e, x) => [build(e, e.emit("Conv", [x, weights("w", [4, 3, 1, 1])]))]));
    expect(layer).toMatchObject({ isFirst: true, isLast: true, isClassifier });
  });

  it("calls every head of several last", () => {
    const layers = layersOf([1, 4], (e, x) => {
      const stem = e.emit("Relu", [e.emit("MatMul", [x, weights("stem", [4, 4])])]);
      return ["one", "two"].map((name) => e.emit("MatMul", [stem, weights(name, [4, 2])]));
    });
    expect(layers.map(({ isLast }) => isLast)).toEqual([false, true, true]);
  });

  it("marks weights that two layers use, and quantizes both", () => {
    const layers = layersOf([1, 4], (e, x) => {
      const shared = weights("w", [4, 4]);
      return [e.emit("MatMul", [e.emit("Relu", [e.emit("MatMul", [x, shared])]), shared])];
    });
    expect(layers.map(({ sharesWeight, reason }) => [sharesWeight, reason])).toEqual(Array(2).fill([true, undefined]));
  });
});
