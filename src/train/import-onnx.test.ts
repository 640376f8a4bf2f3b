import { describe, expect, it } from "vitest";
import { type Layer, Ops, type Optimizer } from "../build/index.ts";
import { writeModel } from "../onnx/index.ts";
import { constantValue, Node, Program, Value } from "../program/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, int64, seededRandom, Tensor } from "../tensor/index.ts";
import { compile } from "./compile.ts";
import { importOnnx } from "./import-onnx.ts";
import { trainStep } from "./train-step.ts";

const random = seededRandom(3);
const normal = (shape: readonly number[]): Tensor =>
  float32(
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal() * 0.3),
  );

/** A file as others write them: symbolic batch, Shape arithmetic, BatchNormalization, weights under the exporter's names. */
function classifier(): Uint8Array {
  const ops = new Ops();
  const x = ops.input("image", "float32", ["batch", 2, 6, 6]);
  const weight = (name: string, shape: readonly number[]) => constantValue(name, normal(shape));
  const body = ops.at("features.0");
  const convolved = body.conv(x, weight("features.0.weight", [4, 2, 3, 3]), weight("features.0.bias", [4]), {
    strides: [2, 2],
  });
  const hidden = body.relu(ops.add(ops.mul(convolved, ops.constant(float32([1], [0.5]))), 0.1));
  const rows = ops.emit("Gather", [
    ops.emit("Shape", [hidden]),
    ops.constant(new Tensor("int64", [1], BigInt64Array.of(0n))),
  ]);
  const flat = ops.emit("Reshape", [
    hidden,
    ops.concat([rows, ops.constant(new Tensor("int64", [1], BigInt64Array.of(-1n)))], 0),
  ]);
  flat.name = "flat";
  const scores = ops.add(ops.matMul(flat, weight("head.weight", [16, 3])), weight("head.bias", [3]));
  scores.name = "scores";
  ops.writer.graph.outputs = [scores];
  return writeModel(new Program(ops.writer.graph, ops.writer.opsets)).bytes;
}

const descend: Optimizer = {
  learningRate: 0.05,
  apply({ ops, gradients, update, learningRate }) {
    for (const { parameter, gradient } of gradients())
      update(parameter, ops.sub(parameter.value, ops.mul(gradient, learningRate)));
  },
};

function stepWith(layer: Layer, outputs: number) {
  return trainStep({
    inputs: { x: { shape: [5, 2, 6, 6] }, target: { shape: [5, outputs] } },
    loss: ({ x, target }, scope) => {
      const y = layer(x!, scope.child("body"));
      return scope.ops.reduceMean(scope.ops.square(scope.ops.sub(y, target!)), { keepDims: false });
    },
    optimizer: descend,
  });
}

describe("importOnnx", () => {
  it("tells weights from other constants, and where a new head goes", () => {
    const model = importOnnx(classifier());
    expect(model.weights).toEqual(["features.0.weight", "features.0.bias", "head.weight", "head.bias"]);
    expect(model.features).toBe("flat");
  });

  it("trains all of the model at another batch size", async () => {
    const training = await compile(stepWith(importOnnx(classifier()).layer(), 3), { runtime: await nodeRuntime() });
    expect(Object.keys(await training.variables())).toContain("body.features.0.weight");
    const batch = { x: normal([5, 2, 6, 6]), target: normal([5, 3]) };
    const losses: number[] = [];
    for (let i = 0; i < 40; i++) losses.push(Number((await training.run(batch)).loss!.data[0]));
    expect(losses.at(-1)).toBeLessThan(0.3 * losses[0]!);
    await training.release();
  });

  it("gives the part below the head, and trains only what is wanted", () => {
    const model = importOnnx(classifier());
    const layer = model.layer({ output: model.features!, trainable: (name) => name.endsWith("bias") });
    const step = stepWith(layer, 16);
    expect(step.variables.filter(({ role }) => role === "parameter").map(({ path }) => path)).toEqual([
      "body.features.0.bias",
    ]);
  });

  it("does not change the model it is given", () => {
    const bytes = classifier();
    const model = importOnnx(bytes);
    const before = writeModel(model.program).bytes;
    stepWith(model.layer(), 3);
    expect(writeModel(model.program).bytes).toEqual(before);
  });

  it("lists every unknown operator at once", () => {
    const x = new Value("x", "float32", [1]);
    const [a, b] = [new Value("a"), new Value("b")];
    const program = new Program();
    program.graph.inputs = [x];
    program.graph.nodes = [
      new Node("Warp", [x], [a], { domain: "some.where" }),
      new Node("Fold", [a], [b], { domain: "some.where" }),
    ];
    program.graph.outputs = [b];
    expect(() => importOnnx(program)).toThrow("importOnnx: every operator must be known, got Warp (a), Fold (b).");
  });

  it("says which operators block differentiation, all at once, and lets them run where nothing is trained below", () => {
    const ops = new Ops();
    const x = ops.input("x", "float32", [5, 2, 6, 6]);
    const w = constantValue("weight", normal([2, 2, 1, 1]));
    const y = ops.conv(x, w);
    const boxes = ops.constant(float32([1, 4], [0, 0, 4, 4]));
    const align = (x: Value) =>
      ops.emit("RoiAlign", [x, boxes, ops.constant(int64([0]))], { output_height: 6, output_width: 6 });
    const hard = align(align(y));
    hard.name = "hard";
    ops.writer.graph.outputs = [hard];
    const model = importOnnx(new Program(ops.writer.graph, ops.writer.opsets));
    expect([...model.withoutGradient.keys()]).toEqual(["RoiAlign"]);
    expect(() => stepWith((v, scope) => scope.ops.reshape(model.layer()(v, scope), [1, 72]), 72)).toThrow(
      /gradients: every operator .* got none for RoiAlign .*, RoiAlign /,
    );
  });

  it("says what values there are when an output is not one of them", () => {
    expect(() => importOnnx(classifier()).layer({ output: "nothing" })).toThrow(
      'importOnnx: output must be a value of the model, got "nothing". The last are',
    );
  });
});
