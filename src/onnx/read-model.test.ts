import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { ModicumError } from "../errors.ts";
import { type Graph, type Program, Value } from "../program/index.ts";
import { AttributeProto_AttributeType as Kind, ModelProtoSchema } from "./generated/onnx_pb.ts";
import { readModel, writeModel } from "./index.ts";
import { modelBytes, smallModel, type TensorInit, twoNodes, valueInfo, weight } from "./small-model.cases.ts";

/** Returns the message with which reading a model fails; anything but a ModicumError fails the test. */
function refusal(bytes: Uint8Array): string {
  try {
    readModel(bytes, { where: "bad.onnx" });
  } catch (error) {
    if (error instanceof ModicumError) return error.message;
    throw error;
  }
  return "no error";
}

describe("the program read from a model", () => {
  const { graph } = readModel(
    modelBytes({ node: twoNodes, initializer: [weight], valueInfo: [valueInfo("h", "batch", 2)] }),
  );

  it("connects nodes by values, not by names", () => {
    const [matMul, relu] = graph.nodes as [Graph["nodes"][number], Graph["nodes"][number]];
    expect(matMul.input(0)).toBe(graph.inputs[0]);
    expect(relu.input(0)).toBe(matMul.output());
    expect(graph.outputs[0]).toBe(relu.output());
    expect(relu.output().producer).toBe(relu);
  });

  it("knows types and shapes from inputs, outputs, value_info and constants", () => {
    const values = [graph.inputs[0], graph.nodes[0]!.output(), graph.outputs[0], graph.initializers[0]];
    expect(values.map((value) => value?.shape)).toEqual([
      ["batch", 3],
      ["batch", 2],
      ["batch", 2],
      [3, 2],
    ]);
    expect(values.every((value) => value?.dtype === "float32")).toBe(true);
  });

  it("uses outer values in sub-graphs directly, and leaves optional inputs undefined", () => {
    const { graph: outer } = readModel(smallModel());
    const clip = outer.nodes.find((node) => node.operator === "Clip")!;
    const choose = outer.nodes.find((node) => node.operator === "If")!;
    expect(clip.inputs[1]).toBeUndefined();
    expect(choose.subgraphs.map(({ nodes }) => nodes[0]!.input(0))).toEqual([clip.output(), clip.output()]);
  });

  it("has nodes in execution order even when the file has not, otherwise as in the file", () => {
    const operators = readModel(smallModel()).graph.nodes.map((node) => node.operator);
    expect(operators).toEqual(["MatMul", "Constant", "Clip", "If"]);
  });

  it("has weights that old files declare as inputs as inputs with a default", () => {
    const bytes = modelBytes(
      { node: twoNodes, initializer: [weight], input: [valueInfo("x", 1, 3), valueInfo("w", 3, 2)] },
      { irVersion: 3n },
    );
    const [, w] = readModel(bytes).graph.inputs;
    expect(w!.constant!.load().data).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
  });

  it("takes a length of -1, which some exporters write, as unknown", () => {
    const bytes = modelBytes({ node: twoNodes, initializer: [weight], input: [valueInfo("x", -1, 3)] });
    expect(readModel(bytes).graph.inputs[0]!.shape).toEqual([null, 3]);
  });

  it("has views of the file's bytes as weights, not copies", () => {
    const bytes = modelBytes({
      node: twoNodes,
      initializer: [{ name: "w", dataType: 2, dims: [3n, 2n], rawData: new Uint8Array(6) }],
    });
    const { data } = readModel(bytes).graph.initializers[0]!.constant!.load();
    expect((data as Uint8Array).buffer).toBe(bytes.buffer);
  });
});

describe("files that are no ONNX models", () => {
  const text = (content: string): Uint8Array => new TextEncoder().encode(content);
  it.each([
    ["an empty file", new Uint8Array()],
    ["a JPEG picture", Uint8Array.of(0xff, 0xd8, 0xff, 0xe0)],
    ["a PNG picture", Uint8Array.of(0x89, 0x50, 0x4e, 0x47)],
    ["a ZIP archive", Uint8Array.of(0x50, 0x4b, 3, 4, 20)],
    ["an HTML page", text("\n<!DOCTYPE html><html>404</html>")],
    ["JSON text", text('{"model": 1}')],
    ["a Git LFS pointer", text("version https://git-lfs.github.com/spec/v1\noid sha256:12\n")],
    ["text", text("# Read me\n")],
    ["text", text("é".repeat(5000))],
    ["a TensorFlow Lite model", text("\u001c\0\0\0TFL3")],
    ["a model in ONNX Runtime's own .ort format", text("\u0020\0\0\0ORTM")],
    ["a safetensors file", Uint8Array.of(40, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x22, 1, 2)],
  ])("are called %s", (name, bytes) => {
    expect(refusal(bytes)).toContain(`bad.onnx: the file must be an ONNX model, got ${name}`);
  });

  it("are called damaged when the message ends too early, wherever that is", () => {
    const whole = smallModel();
    for (let length = 1; length < whole.byteLength; length++) {
      expect(refusal(whole.subarray(0, length)), `first ${length} bytes`).toMatch(/truncated or damaged|must|text/);
    }
    expect(refusal(whole)).toBe("no error");
  });

  it("are refused when a length claims gigabytes", () => {
    expect(refusal(Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2))).toContain("cannot be read as one");
    expect(refusal(Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01))).toContain(
      "cannot be read",
    );
  });

  it("are refused when they are protobuf of something else", () => {
    expect(refusal(Uint8Array.of(0x08, 0x0a))).toContain("it has no graph");
  });
});

describe("models with mistakes", () => {
  const withTensor = (tensor: TensorInit): string => refusal(modelBytes({ node: twoNodes, initializer: [tensor] }));

  it.each<[string, () => string, string]>([
    ["a value nothing produces", () => refusal(modelBytes({ node: twoNodes })), 'bad.onnx: input "w" of MatMul (product) must be a value of the graph, but nothing produces "w".'],
    ["an output nothing produces", () => refusal(modelBytes({})), 'output "y" of graph "g" must be a value of the graph'],
    ["a value produced twice", () => refusal(modelBytes({ initializer: [weight], node: [...twoNodes, ...twoNodes] })), 'every value must be defined once, got a second "h" (node output)'],
    ["two initializers of one name", () => refusal(modelBytes({ initializer: [weight, weight], node: twoNodes })), 'got a second "w" (initializer)'],
    ["an input without a name", () => refusal(modelBytes({ input: [valueInfo("")] })), "every input must have a name"],
    ["a node without operator", () => refusal(modelBytes({ node: [{ output: ["y"] }] })), 'node "y" must name its operator'],
    ["an attribute twice", () => refusal(modelBytes({ node: [{ opType: "A", output: ["y"], attribute: [{ name: "a" }, { name: "a" }] }] })), 'A (y) must have each attribute once, got "a" twice'],
    ["an attribute without its graph", () => refusal(modelBytes({ node: [{ opType: "If", output: ["y"], attribute: [{ name: "then_branch", type: Kind.GRAPH }] }] })), 'attribute "then_branch" of If (y): its graph must be there'],
    ["a cycle", () => refusal(modelBytes({ node: [
      { opType: "Add", name: "first", input: ["x", "c"], output: ["a"] },
      { opType: "Relu", name: "second", input: ["a"], output: ["b"] },
      { opType: "Neg", name: "third", input: ["b"], output: ["c"] },
      { opType: "Abs", name: "innocent", input: ["a"], output: ["y"] },
    ] })), "bad.onnx: the graph must have no cycle, got one through Add (first), Neg (third), Relu (second)."],
    ["too few bytes", () => withTensor({ name: "w", dataType: 1, dims: [3n, 2n], rawData: new Uint8Array(23) }), 'initializer "w": float32 of shape [3, 2] must have 24 bytes, got 23'],
    ["too many values", () => withTensor({ name: "w", dataType: 7, dims: [1n], int64Data: [1n, 2n] }), "int64 of shape [1] must have 1 values, got 2"],
    ["packed values that are missing", () => withTensor({ name: "w", dataType: 22, dims: [3n], int32Data: [1] }), "int4 of shape [3] must have 2 values, got 1"],
    ["a negative length", () => withTensor({ name: "w", dataType: 1, dims: [3n, -2n] }), "axis lengths must be 0 or more and fit in memory, got [3, -2]"],
    ["absurd lengths", () => withTensor({ name: "w", dataType: 1, dims: [2n ** 40n, 2n ** 40n] }), "fit in memory"],
    ["an unknown element type", () => withTensor({ name: "w", dataType: 77, dims: [] }), "element type must be one of ONNX's (1 to 28), got 77"],
    ["no element type", () => withTensor({ name: "w" }), "got 0"],
    ["an unknown element type of an input", () => refusal(modelBytes({ input: [{ name: "x", type: { value: { case: "tensorType", value: { elemType: 99 } } } }] })), 'input "x": element type must be'],
    ["strings as raw data", () => withTensor({ name: "w", dataType: 8, dims: [1n], rawData: new Uint8Array(1) }), "strings must not be stored as raw data"],
    ["a segment", () => withTensor({ name: "w", dataType: 1, dims: [1n], floatData: [1], segment: { begin: 0n, end: 1n } }), "must be stored whole"],
    ["no operator set", () => refusal(modelBytes({ node: twoNodes, initializer: [weight] }, { opsetImport: [] })), "must say which ONNX operator set it uses (opset_import), got none, but has MatMul (product)"],
    ["two versions of an operator set", () => refusal(modelBytes({}, { opsetImport: [{ version: 13n }, { domain: "ai.onnx", version: 14n }] })), 'imported in one version, 1 or more, got "" in 13 and 14'],
    ["a future operator set", () => refusal(modelBytes({}, { opsetImport: [{ domain: "ai.onnx", version: 27n }] })), "ONNX operator set must be at most 26, the newest that ONNX Runtime 1.30 runs, got 27. Export the model again with an opset version of 26 or less"],
    ["a future format", () => refusal(modelBytes({}, { irVersion: 14n })), "(ir_version) must be at most 13"],
    ["no format version", () => refusal(modelBytes({}, { irVersion: 0n })), "must say its format version (ir_version), got 0"],
    ["sparse weights without indices", () => refusal(modelBytes({ sparseInitializer: [{ values: weight, dims: [6n] }] })), "a sparse tensor must have values and indices"],
  ])("are refused: %s", (_, act, message) => {
    expect(act()).toContain(message);
  }); // biome-ignore format: a table

  it("are refused when nested too deep, without exhausting the stack", () => {
    expect(refusal(nested(30))).toBe("no error");
    expect(refusal(nested(40))).toContain("must be nested less than 100 deep");
    expect(refusal(nested(1000))).toContain("must be nested less than 100 deep");
  });
});

/** A model with branches inside branches. Made by hand: the library itself refuses to write very deep messages. */
function nested(depth: number): Uint8Array {
  const field = (number: number, bytes: Uint8Array): Uint8Array => {
    const length: number[] = [];
    let rest = bytes.byteLength;
    for (; rest > 127; rest >>>= 7) length.push((rest & 127) | 128);
    return Buffer.concat([Uint8Array.of((number << 3) | 2, ...length, rest), bytes]);
  };
  let graph = field(2, Uint8Array.of(103));
  for (let i = 0; i < depth; i++) {
    const type = Uint8Array.of(0xa0, 0x01, Kind.GRAPH);
    const attribute = Buffer.concat([field(1, Uint8Array.of(103)), type, field(6, graph)]);
    graph = field(1, Buffer.concat([field(4, Uint8Array.of(73, 102)), field(5, attribute)]));
  }
  return Buffer.concat([Uint8Array.of(0x08, 10, 0x42, 2, 0x10, 21), field(7, graph)]);
}

describe("writing a program", () => {
  const names = (program: Program): string[] =>
    readModel(writeModel(program).bytes).graph.nodes.flatMap((node) => node.outputs.map((value) => value!.name));

  it("makes names unique without touching those of inputs and outputs", () => {
    const program = readModel(modelBytes({ node: twoNodes, initializer: [weight] }));
    program.graph.nodes[0]!.output().name = "y";
    program.graph.initializers[0]!.name = "x";
    const again = readModel(writeModel(program).bytes).graph;
    expect(names(program)).toEqual(["y_1", "y"]);
    expect(again.inputs[0]!.name).toBe("x");
    expect(again.initializers[0]!.name).toBe("x_1");
  });

  it("makes up names that nothing else has, in sub-graphs neither", () => {
    const program = readModel(smallModel());
    const inner = program.graph.nodes.at(-1)!.subgraphs[0]!;
    inner.outputs[0]!.name = "MatMul_1";
    program.graph.nodes[0]!.output().name = "";
    expect(names(program)[0]).toBe("MatMul_2");
  });

  it("refuses values that nothing defines, and outputs that share a name", () => {
    const stray = readModel(modelBytes({ node: twoNodes, initializer: [weight] }));
    stray.graph.nodes[0]!.inputs[0] = new Value("lost");
    expect(() => writeModel(stray)).toThrow('got "lost" in MatMul (product)');
    const shared = readModel(modelBytes({ node: twoNodes, initializer: [weight] }));
    shared.graph.outputs[0]!.name = "x";
    expect(() => writeModel(shared)).toThrow('must have names of their own, got "x" twice');
  });

  it("imports ONNX Runtime's own operators when they are used", () => {
    const bytes = modelBytes({ node: [{ opType: "Gelu", domain: "com.microsoft", input: ["x"], output: ["y"] }] });
    expect(readModel(writeModel(readModel(bytes)).bytes).opsets).toEqual(
      new Map([
        ["", 21],
        ["com.microsoft", 1],
      ]),
    );
  });

  it("writes a changed type in place of the file's", () => {
    const program = readModel(
      modelBytes({ node: twoNodes, initializer: [weight], valueInfo: [valueInfo("h", "batch", 2)] }),
    );
    program.graph.nodes[0]!.output().shape = [1, 2];
    program.graph.nodes[0]!.output().dtype = "float16";
    const h = readModel(writeModel(program).bytes).graph.nodes[0]!.output();
    expect([h.dtype, h.shape]).toEqual(["float16", [1, 2]]);
  });

  it("drops what the file said of values that are gone", () => {
    const program = readModel(
      modelBytes({ node: twoNodes, initializer: [weight], valueInfo: [valueInfo("h", "batch", 2)] }),
    );
    const { graph } = program;
    graph.nodes[1]!.inputs[0] = graph.inputs[0];
    graph.nodes.shift();
    graph.initializers = [];
    const written = fromBinary(ModelProtoSchema, writeModel(program).bytes).graph!;
    expect([written.valueInfo, written.initializer]).toEqual([[], []]);
  });
});
