import { describe, expect, it } from "vitest";
import { constantValue, type Emitter, Graph, Node, Program, Value } from "../../program/index.ts";
import { int64, Tensor } from "../../tensor/index.ts";
import { checkPass, numbers, operators, programOf, runtime } from "../check-pass.cases.ts";
import { removeNoOps } from "./remove-no-ops.ts";

type Build = (emitter: Emitter, x: Value) => Value;

const flag = (value: number): Value => constantValue("training", new Tensor("bool", [], Uint8Array.of(value)));

/** `x` [2, 3, 4] through Relu, the node in question, and Neg. */
function around(build: Build, opset: number): Program {
  return programOf(
    { x: [2, 3, 4] },
    (emitter, { x }) => [emitter.emit("Neg", [build(emitter, emitter.emit("Relu", [x]))])],
    { opset },
  );
}

describe("removeNoOps", () => {
  it.each<[string, Build, number]>([
    ["Identity", (e, x) => e.emit("Identity", [x]), 17],
    ["Dropout of opset 7 to 11", (e, x) => e.emit("Dropout", [x], { attributes: { ratio: 0.5 } }), 10],
    ["Dropout without a training input", (e, x) => e.emit("Dropout", [x, numbers("ratio", [], [0.5])]), 13],
    ["Dropout with training off", (e, x) => e.emit("Dropout", [x, numbers("ratio", [], [0.5]), flag(0)]), 13],
    ["Cast to the type it has", (e, x) => e.emit("Cast", [x], { attributes: { to: 1 } }), 17],
    ["Transpose in order", (e, x) => e.emit("Transpose", [x], { attributes: { perm: [0, 1, 2] } }), 17],
    ["Pad by nothing", (e, x) => e.emit("Pad", [x, constantValue("pads", int64([0, 0, 0, 0, 0, 0]))]), 17],
    ["Pad by nothing, opset 2", (e, x) => e.emit("Pad", [x], { attributes: { pads: [0, 0, 0, 0, 0, 0] } }), 10],
    ["Reshape to the same shape", (e, x) => e.emit("Reshape", [x, constantValue("to", int64([0, 3, -1]))]), 17],
    ["Concat of one", (e, x) => e.emit("Concat", [x], { attributes: { axis: 1 } }), 17],
    ["Sum of one", (e, x) => e.emit("Sum", [x]), 17],
  ])("removes %s", async (_, build, opset) => {
    expect(operators(await checkPass(removeNoOps, around(build, opset), { changes: 1 }))).toEqual(["Relu", "Neg"]);
  });

  it.each<[string, Build, number]>([
    ["Cast to another type", (e, x) => e.emit("Cast", [e.emit("Cast", [x], { attributes: { to: 11 } })], { attributes: { to: 1 } }), 17],
    ["Transpose without perm, which reverses", (e, x) => e.emit("Transpose", [x]), 17],
    ["Transpose in another order", (e, x) => e.emit("Transpose", [x], { attributes: { perm: [0, 2, 1] } }), 17],
    ["Pad by something", (e, x) => e.emit("Pad", [x, constantValue("pads", int64([0, 0, 0, 0, 0, 1]))]), 17],
    ["Reshape to another shape", (e, x) => e.emit("Reshape", [x, constantValue("to", int64([3, 2, 4]))]), 17],
    ["Reshape to another rank", (e, x) => e.emit("Reshape", [x, constantValue("to", int64([2, -1]))]), 17],
    ["Concat of two", (e, x) => e.emit("Concat", [x, x], { attributes: { axis: 1 } }), 17],
  ])("leaves %s", async (_, build, opset) => {
    await checkPass(removeNoOps, around(build, opset), { changes: 0 });
  }); // biome-ignore format: a table

  it("leaves Dropout in training", () => {
    const program = around((e, x) => e.emit("Dropout", [x, numbers("ratio", [], [0.5]), flag(1)]), 13);
    expect(removeNoOps.run(program, { runtime })).toBe(0);
  });

  it("leaves Dropout whose mask is used", () => {
    const x = new Value("x", "float32", [2]);
    const [y, mask] = [new Value("y"), new Value("mask")];
    const graph = new Graph("g", { inputs: [x], nodes: [new Node("Dropout", [x], [y, mask])], outputs: [y, mask] });
    expect(removeNoOps.run(new Program(graph), { runtime })).toBe(0);
  });

  it("keeps the names of the model's outputs", async () => {
    const program = programOf({ x: [3] }, (emitter, { x }) => [
      emitter.emit("Identity", [emitter.emit("Relu", [x])], { output: "scores" }),
    ]);
    const rewritten = await checkPass(removeNoOps, program, { changes: 1 });
    expect(rewritten.graph.outputs.map(({ name }) => name)).toEqual(["scores"]);
  });

  it("leaves an Identity that makes an output of an input, or two outputs of one value", async () => {
    const program = programOf({ x: [3] }, (emitter, { x }) => {
      const relu = emitter.emit("Relu", [x], { output: "a" });
      return [
        emitter.emit("Identity", [x], { output: "same" }),
        relu,
        emitter.emit("Identity", [relu], { output: "b" }),
      ];
    });
    await checkPass(removeNoOps, program, { changes: 0 });
  });
});
