import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import type { Program } from "../program/index.ts";
import { AttributeProto_AttributeType as Kind } from "./generated/onnx_pb.ts";
import { inlineFunctions, readModel, upgradeOpset, writeModel } from "./index.ts";
import { type FunctionInit, modelBytes, type NodeInit, valueInfo } from "./small-model.cases.ts";

/** Doubles and clips by default at 1, in opset 10, where Clip has attributes; uses If, so that sub-graphs are met too. */
const doubleAndClip: FunctionInit = {
  name: "DoubleAndClip",
  domain: "custom",
  input: ["a", "extra"],
  output: ["b", "c"],
  attribute: ["low"],
  attributeProto: [{ name: "high", type: Kind.FLOAT, f: 1 }],
  opsetImport: [{ domain: "", version: 10n }, { domain: "custom", version: 1n }],
  node: [
    { opType: "Twice", domain: "custom", input: ["a"], output: ["double"] },
    {
      opType: "Clip",
      input: ["double"],
      output: ["b"],
      attribute: [
        { name: "min", refAttrName: "low", type: Kind.FLOAT },
        { name: "max", refAttrName: "high", type: Kind.FLOAT },
      ],
    },
    { opType: "Constant", output: ["yes"], attribute: [{ name: "value", type: Kind.TENSOR, t: { dataType: 9, int32Data: [1] } }] },
    {
      opType: "If",
      input: ["yes"],
      output: ["c"],
      attribute: ["then_branch", "else_branch"].map((name) => ({
        name,
        type: Kind.GRAPH,
        g: { name, node: [{ opType: "Neg", input: ["double"], output: [`${name}_y`] }], output: [valueInfo(`${name}_y`, 2)] },
      })),
    },
  ],
}; // biome-ignore format: a table
const twice: FunctionInit = {
  name: "Twice", domain: "custom", input: ["x"], output: ["y"], opsetImport: [{ domain: "", version: 10n }],
  node: [{ opType: "Add", input: ["x", "x"], output: ["y"] }],
}; // biome-ignore format: a table

function modelWith(functions: FunctionInit[], node: NodeInit[], opset = 10n): Program {
  const graph = { node, input: [valueInfo("x", 2)], output: [valueInfo("y", 2), valueInfo("z", 2)] };
  const opsetImport = [
    { domain: "", version: opset },
    { domain: "custom", version: 1n },
  ];
  return readModel(modelBytes(graph, { functions, opsetImport }));
}

const calls: NodeInit[] = [
  {
    opType: "DoubleAndClip", domain: "custom", name: "first", input: ["x"], output: ["h", "g"],
    attribute: [{ name: "low", type: Kind.FLOAT, f: -0.5 }, { name: "high", type: Kind.FLOAT, f: 3 }],
  },
  { opType: "DoubleAndClip", domain: "custom", name: "second", input: ["h"], output: ["y", "unused"] },
  { opType: "Twice", domain: "custom", input: ["g"], output: ["z"] },
]; // biome-ignore format: a table

async function run(program: Program): Promise<unknown> {
  const session = await InferenceSession.create(writeModel(program).bytes, {
    logSeverityLevel: 4,
    intraOpNumThreads: 1,
  });
  const { y, z } = await session.run({ x: new OrtTensor("float32", Float32Array.of(0.8, -0.3), [2]) });
  return [y!.data, z!.data];
}

describe("inlining functions", () => {
  // x = [0.8, -0.3]: doubled [1.6, -0.6], clipped to [-0.5, 3] [1.6, -0.5]; doubled [3.2, -1], clipped from above at 1 [1, -1].
  const expected = [Float32Array.of(1, -1), Float32Array.of(-3.2, 1.2)];

  it("replaces every call, of functions in functions too, by nodes that compute the same", async () => {
    const program = modelWith([doubleAndClip, twice], calls);
    const inlined = inlineFunctions(program);
    expect(inlined.functions).toEqual([]);
    expect(inlined.opsets).toEqual(new Map([["", 10]]));
    expect([...inlined.allNodes()].every((node) => node.domain === "")).toBe(true);
    expect(await run(program)).toEqual(expected);
    expect(await run(inlined)).toEqual(expected);
  });

  it("lets the operator set of a model with functions be upgraded", async () => {
    const upgraded = upgradeOpset(modelWith([doubleAndClip, twice], calls));
    expect([upgraded.opset, upgraded.functions]).toEqual([21, []]);
    expect(await run(upgraded)).toEqual(expected);
  });

  it("brings functions of an older operator set to the model's", async () => {
    expect(await run(inlineFunctions(modelWith([doubleAndClip, twice], calls, 18n)))).toEqual(expected);
  });

  it("passes inputs on that a function returns as they are", () => {
    const same: FunctionInit = { name: "Same", domain: "custom", input: ["a"], output: ["a"] };
    const node = [
      { opType: "Same", domain: "custom", input: ["x"], output: ["y"] },
      { opType: "Relu", input: ["x"], output: ["z"] },
    ];
    expect(inlineFunctions(modelWith([same], node)).graph.nodes.map(({ operator }) => operator)).toEqual([
      "Identity",
      "Relu",
    ]);
  });

  it("leaves programs without functions as they are", () => {
    const program = modelWith([], [{ opType: "Split", input: ["x"], output: ["y", "z"] }]);
    expect(inlineFunctions(program)).toBe(program);
  });

  it("refuses functions that call themselves, calls that do not fit, and newer operators", () => {
    const loop: FunctionInit = { ...twice, node: [{ opType: "Twice", domain: "custom", input: ["x"], output: ["y"] }] };
    const call = (input: string[]): NodeInit[] => [
      { opType: "Twice", domain: "custom", input, output: ["y"] },
      { opType: "Relu", input: ["x"], output: ["z"] },
    ];
    const newer: FunctionInit = {
      ...twice,
      opsetImport: [{ domain: "", version: 13n }],
      node: [{ opType: "Softmax", input: ["x"], output: ["y"] }],
    };
    expect(() => inlineFunctions(modelWith([loop], call(["x"])))).toThrow(
      "functions must not call themselves, got Twice",
    );
    expect(() => inlineFunctions(modelWith([twice], call(["x", "x"])))).toThrow(
      "at most 1 inputs and 1 outputs, got 2 and 1",
    );
    expect(() => inlineFunctions(modelWith([newer], call(["x"])))).toThrow("it is of opset 13, newer than the model");
  });
});
