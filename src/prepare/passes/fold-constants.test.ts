import { describe, expect, it } from "vitest";
import { constantValue, Emitter, Graph, Program, Value } from "../../program/index.ts";
import { int64, Tensor, toNumbers } from "../../tensor/index.ts";
import { checkPass, numbers, operators, programOf, runtime, weights } from "../check-pass.cases.ts";
import { foldConstants } from "./fold-constants.ts";

const scalar = (name: string, value: number): Value => constantValue(name, int64([value], []));

describe("foldConstants", () => {
  it("computes a chain of constant nodes to the numbers ONNX Runtime gives", async () => {
    const program = programOf({ x: [2, 3] }, (emitter, { x }) => {
      const transposed = emitter.emit("Transpose", [numbers("w", [2, 3], [1, 2, 3, 4, 5, 6])]);
      return [emitter.emit("MatMul", [x, emitter.emit("Add", [transposed, numbers("one", [], [1])])])];
    });
    const folded = await checkPass(foldConstants, program, { changes: 2 });
    expect(operators(folded)).toEqual(["MatMul"]);
    const { constant } = folded.graph.nodes[0]!.inputs[1]!;
    expect(constant!.shape).toEqual([3, 2]);
    expect([...toNumbers(constant!.load())]).toEqual([2, 5, 3, 6, 4, 7]);
  });

  it("folds the shape of a value that is known, and what is computed from it", async () => {
    const program = programOf({ x: [2, 3, 4] }, (emitter, { x }) => {
      const shape = emitter.emit("Shape", [x]);
      const rows = emitter.emit("Gather", [shape, constantValue("i", int64([0]))]);
      const target = emitter.emit("Concat", [rows, constantValue("rest", int64([-1]))], { attributes: { axis: 0 } });
      return [emitter.emit("Reshape", [x, target])];
    });
    expect(operators(await checkPass(foldConstants, program, { changes: 3 }))).toEqual(["Reshape"]);
  });

  it("folds part of a shape (start and end of opset 15)", async () => {
    const program = programOf({ x: [2, 3, 4] }, (emitter, { x }) => {
      const last = emitter.emit("Shape", [x], { attributes: { start: -2, end: 3 } });
      return [emitter.emit("Expand", [numbers("one", [1, 1], [1]), last]), emitter.emit("Relu", [x])];
    });
    const folded = await checkPass(foldConstants, program, { changes: 1 });
    expect([...toNumbers(folded.graph.nodes[0]!.inputs[1]!.constant!.load())]).toEqual([3, 4]);
  });

  it("folds float16 weights that are cast to float32", async () => {
    const half = constantValue("w", new Tensor("float16", [40_000], new Uint16Array(40_000).fill(0x3c00)));
    const program = programOf({ x: [40_000] }, (emitter, { x }) => [
      emitter.emit("Mul", [x, emitter.emit("Cast", [half], { attributes: { to: 1 } })]),
    ]);
    expect(operators(await checkPass(foldConstants, program, { changes: 1 }))).toEqual(["Mul"]);
  });

  it.each<[string, (emitter: Emitter) => Value]>([
    ["what would grow a lot (Expand)", (e) =>
      e.emit("Expand", [numbers("one", [1], [1]), constantValue("shape", int64([100, 1000]))])],
    ["what would grow a lot (ConstantOfShape)", (e) =>
      e.emit("ConstantOfShape", [constantValue("shape", int64([100, 1000]))])],
    ["an outer sum", (e) => e.emit("Add", [weights("a", [100, 1]), weights("b", [1, 1000])])],
    ["dequantized weights", (e) => {
      const codes = constantValue("codes", new Tensor("int8", [1000], new Int8Array(1000)));
      return e.emit("DequantizeLinear", [codes, numbers("scale", [], [0.5])]);
    }],
    ["int8 weights that are cast", (e) => {
      const codes = constantValue("codes", new Tensor("int8", [100_000], new Int8Array(100_000)));
      return e.emit("Cast", [codes], { attributes: { to: 1 } });
    }],
    ["random numbers", (e) => e.emit("RandomNormalLike", [numbers("a", [3], [1, 2, 3])])],
  ])("leaves %s", async (_, build) => {
    const program = programOf({ x: [1] }, (emitter, { x }) => [emitter.emit("Add", [build(emitter), x])]);
    expect(await foldConstants.run(program, { runtime })).toBe(0);
  }); // biome-ignore format: a table

  it("leaves 4-bit weights, which the runtime cannot return", async () => {
    const codes = constantValue("codes", new Tensor("int4", [4], new Uint8Array(2)));
    const program = programOf(
      { x: [4] },
      (emitter, { x }) => {
        const cast = emitter.emit("Cast", [codes], { attributes: { to: 1 } });
        return [emitter.emit("Add", [cast, x])];
      },
      { opset: 21 },
    );
    await checkPass(foldConstants, program, { changes: 0 });
  });

  it("leaves what depends on an input with a default, and what is an output of the model", async () => {
    const program = programOf({ x: [3] }, (emitter, { x }) => [
      emitter.emit("Add", [x, emitter.emit("Neg", [numbers("given", [3], [1, 2, 3])])]),
      emitter.emit("Neg", [numbers("fixed", [3], [1, 2, 3])], { output: "constant" }),
    ]);
    const [neg] = program.graph.nodes;
    program.graph.inputs.push(neg!.input(0));
    expect(await foldConstants.run(program, { runtime })).toBe(0);
  });

  it("gives a sub-graph the constant it reads from outside", async () => {
    const flag = new Value("flag", "bool", []);
    const emitter = new Emitter();
    const doubled = emitter.emit("Add", [scalar("two", 2), scalar("three", 3)]);
    const branch = (operator: string): Graph => {
      const inner = new Emitter();
      const output = inner.emit(operator, [doubled], { output: operator });
      return new Graph(operator, { nodes: inner.nodes, outputs: [output] });
    };
    const attributes = { then_branch: branch("Neg"), else_branch: branch("Identity") };
    const result = emitter.emit("If", [flag], { attributes, output: "y" });
    const program = new Program(new Graph("main", { inputs: [flag], nodes: emitter.nodes, outputs: [result] }));
    doubled.dtype = "int64";
    doubled.shape = [];
    expect(await foldConstants.run(program, { runtime })).toBe(1);
    expect(operators(program)).toEqual(["If"]);
    expect([...toNumbers(doubled.constant!.load())]).toEqual([5]);
  });
});
