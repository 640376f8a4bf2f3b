import { readFileSync } from "node:fs";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { sharedModels } from "../../../test/support/shared-data.ts";
import { Graph, Node, Program, Value } from "../../program/index.ts";
import { elementCount, type Tensor } from "../../tensor/index.ts";
import { readModel, upgradeOpset, writeModel } from "../index.ts";
import { filled, floats, singleNode, upgradeCases } from "./upgrade-opset.cases.ts";

type Outputs = Readonly<Record<string, { readonly dims: readonly number[]; readonly data: Float32Array }>>;

/** Runs a model in ONNX Runtime and returns each output's shape and bytes. */
async function run(program: Program, feeds: ReadonlyMap<string, Tensor>): Promise<Outputs> {
  const session = await InferenceSession.create(writeModel(program).bytes, {
    logSeverityLevel: 4,
    intraOpNumThreads: 1,
  });
  const inputs = Array.from(feeds, ([name, { dtype, data, shape }]) => [
    name,
    new OrtTensor(dtype as "float32", data as Float32Array, shape),
  ]);
  const outputs = await session.run(Object.fromEntries(inputs));
  return Object.fromEntries(
    session.outputNames.map((name) => [name, { dims: outputs[name]!.dims, data: outputs[name]!.data as Float32Array }]),
  );
}

describe("upgrading a model to opset 21", () => {
  it.each(upgradeCases)("keeps the outputs of $name", async ({ program, feeds, tolerance = 0 }) => {
    const upgraded = upgradeOpset(program);
    expect(upgraded.opset).toBe(21);
    const [before, after] = [await run(program, feeds), await run(upgraded, feeds)];
    if (tolerance === 0) expect(after).toEqual(before);
    else expect(largestDifference(before, after)).toBeLessThanOrEqual(tolerance);
  });

  it("would notice another meaning", async () => {
    const { program, feeds } = singleNode("Softmax", { opset: 11, attributes: { axis: 1 } });
    const wrong = new Program(program.graph, [["", 13]], 7);
    expect(await run(wrong, feeds)).not.toEqual(await run(program, feeds));
  });

  const models = sharedModels();
  it.skipIf(models.length === 0).each(models)("keeps the outputs of %s", async (file) => {
    const program = readModel(new Uint8Array(readFileSync(file)), { where: file });
    const feeds = new Map(
      program.graph.inputs.filter((input) => !input.constant).map((input) => [input.name, exampleInput(input)]),
    );
    expect(await run(upgradeOpset(program), feeds)).toEqual(await run(program, feeds));
  });

  it("changes operators inside sub-graphs too, and leaves the original as it was", async () => {
    const x = new Value("x", "float32", [2, 1, 3]);
    const condition = new Value("condition", "bool", []);
    const branch = (name: string, operator: string) => {
      const result = new Value(`${name}_y`, "float32");
      const node = new Node(operator, [x], [result], {
        attributes: { axes: [1], ...(operator === "ReduceSum" && { keepdims: 0 }) },
      });
      return new Graph(name, { nodes: [node], outputs: [result] });
    };
    const y = new Value("y", "float32");
    const choose = new Node("If", [condition], [y], {
      attributes: { then_branch: branch("then", "Squeeze"), else_branch: branch("else", "ReduceSum") },
    });
    const program = new Program(
      new Graph("g", { inputs: [x, condition], outputs: [y], nodes: [choose] }),
      [["", 11]],
      6,
    );
    const before = await run(program, feedsOf(x, true));
    const upgraded = upgradeOpset(program);
    for (const taken of [true, false]) {
      expect(await run(upgraded, feedsOf(x, taken))).toEqual(await run(program, feedsOf(x, taken)));
    }
    expect(await run(program, feedsOf(x, true))).toEqual(before);
  });

  it("returns a program that is new enough as it is", () => {
    const { program } = singleNode("Relu", { opset: 22 });
    expect(upgradeOpset(program)).toBe(program);
  });

  it("makes weights that an old file declares as inputs plain constants", () => {
    const { program } = singleNode("Add", { opset: 7, inputs: [floats(1)] });
    const weight = program.graph.nodes[0]!.input(1);
    const old = new Program(
      new Graph("g", { ...program.graph, inputs: [...program.graph.inputs, weight] }),
      [["", 7]],
      3,
    );
    expect(upgradeOpset(old).graph.inputs.map(({ name }) => name)).toEqual(["x"]);
    expect(upgradeOpset(old).irVersion).toBe(10);
  });
});

describe("upgrading from before opset 7, which ONNX Runtime no longer runs", () => {
  it.each([
    ["Add", [3], { broadcast: 1, axis: 1 }, (x: number, channel: number) => x + [1, 2, 3][channel]!],
    ["Mul", [3, 4], { broadcast: 1, axis: 1 }, undefined],
    ["Add", [5], { broadcast: 1 }, undefined],
    ["PRelu", [3], {}, (x: number, channel: number) => (x < 0 ? Math.fround(x * [1, 2, 3][channel]!) : x)],
  ] as const)("matches the axes of %s with %j as %j said", async (operator, shape, attributes, expected) => {
    const second = shape.length === 1 && shape[0] === 3 ? floats(1, 2, 3) : filled(shape);
    const { program, feeds } = singleNode(operator, { opset: 6, inputs: [second], attributes });
    const { y0 } = await run(upgradeOpset(program), feeds);
    expect(y0!.dims).toEqual([2, 3, 4, 5]);
    const x = feeds.get("x")!.data as Float32Array;
    const reference = expected ?? broadcastReference(operator, second);
    x.forEach((value, i) => {
      expect(y0!.data[i]).toBe(Math.fround(reference(value, Math.floor(i / 20) % 3, i)));
    });
  });

  it("turns the shape of Reshape into an input and drops hints of in-place computing", async () => {
    const reshape = singleNode("Reshape", { opset: 4, x: [2, 6], attributes: { shape: [3, 4] } });
    const relu = singleNode("Relu", { opset: 1, attributes: { consumed_inputs: [0] } });
    expect(await run(upgradeOpset(reshape.program), reshape.feeds)).toMatchObject({ y0: { dims: [3, 4] } });
    expect(await run(upgradeOpset(relu.program), relu.feeds)).toMatchObject({ y0: { dims: [2, 3, 4, 5] } });
  });
});

describe("what cannot be upgraded", () => {
  it("is listed, all of it, in one error", () => {
    const { program } = singleNode("BatchNormalization", { opset: 8, attributes: { spatial: 0 } });
    const x = program.graph.inputs[0]!;
    program.graph.nodes.push(new Node("Crop", [x], [new Value("")], { name: "old" }));
    program.graph.nodes.push(new Node("Gelu", [x], [new Value("")], { name: "new" }));
    expect(() => upgradeOpset(program)).toThrow(
      "upgradeOpset: every operator must be known, to go from opset 8 to 21, got BatchNormalization (node): statistics must " +
        "be per channel (spatial=1), got one per position: that ended with opset 8; Crop (old): it is not an operator of " +
        "ONNX; Gelu (new): it came only with opset 20. Export the model again with opset 21.",
    );
  });

  it.each([
    ["a mask whose meaning changed", singleNode("Dropout", { opset: 10, outputs: ["float32", "bool"] })],
    ["outputs of training", singleNode("BatchNormalization", { opset: 9, outputs: ["float32", "float32"] })],
    [
      "a dropped resizing mode",
      singleNode("Resize", { opset: 11, attributes: { coordinate_transformation_mode: "tf_half_pixel_for_nn" } }),
    ],
    [
      "an unknown number of channels",
      singleNode("GroupNormalization", { opset: 18, attributes: { num_groups: 2 }, shapeKnown: false }),
    ],
    ["resizing both ways", singleNode("Resize", { opset: 10, inputs: [floats(1, 1, 2, 0.7)] })],
    [
      "broadcasting with unknown ranks",
      singleNode("Add", { opset: 6, inputs: [floats(1)], attributes: { broadcast: 1, axis: 1 }, shapeKnown: false }),
    ],
  ])("includes %s", (_, { program }) => {
    expect(() => upgradeOpset(program)).toThrow(/every operator must be known/);
  });

  it("includes targets beyond the rules", () => {
    expect(() => upgradeOpset(singleNode("Relu", { opset: 8 }).program, 22)).toThrow(
      "the target must be at most 21, got 22",
    );
  });
});

function largestDifference(a: Outputs, b: Outputs): number {
  const differences = Object.entries(a).flatMap(([name, { dims, data }]) => {
    expect(b[name]!.dims).toEqual(dims);
    return Array.from(data, (x, i) => Math.abs(x - b[name]!.data[i]!));
  });
  return Math.max(...differences);
}

function broadcastReference(operator: string, second: Tensor): (x: number, channel: number, i: number) => number {
  const b = second.data as Float32Array;
  const at = (i: number): number => (second.shape.length === 2 ? b[Math.floor(i / 5) % 12]! : b[i % 5]!);
  return (x, _, i) => (operator === "Mul" ? x * at(i) : x + at(i));
}

function feedsOf(x: Value, condition: boolean): Map<string, Tensor> {
  return new Map([
    [x.name, filled(x.shape as number[])],
    ["condition", { dtype: "bool", shape: [], data: Uint8Array.of(condition ? 1 : 0) } as unknown as Tensor],
  ]);
}

/** An input of plausible numbers; unknown lengths become small, or what the model was trained on. */
function exampleInput(input: Value): Tensor {
  const shape = input.shape!.map((length, axis) => (typeof length === "number" ? length : axis === 0 ? 1 : 24));
  if (input.dtype === "float32") return filled(shape);
  const count = elementCount(shape);
  const data =
    input.dtype === "int64"
      ? BigInt64Array.from({ length: count }, (_, i) => BigInt(i % 200))
      : Int32Array.from({ length: count }, (_, i) => i % 200);
  return { dtype: input.dtype, shape, data } as unknown as Tensor;
}
