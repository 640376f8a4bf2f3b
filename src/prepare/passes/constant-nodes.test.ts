import { describe, expect, it } from "vitest";
import { Graph, Node, Program, toAttribute, Value } from "../../program/index.ts";
import { toNumbers } from "../../tensor/index.ts";
import { checkPass, operators, programOf, runtime } from "../check-pass.cases.ts";
import { constantNodes } from "./constant-nodes.ts";

describe("constantNodes", () => {
  it.each([
    ["value_float", { float: 2 }, "float32", [], [2]],
    ["value_floats", toAttribute([1.5, 2.5]), "float32", [2], [1.5, 2.5]],
    ["value_int", 3, "int64", [], [3]],
    ["value_ints", [3, 4], "int64", [2], [3, 4]],
  ] as const)("reads %s", (name, value, dtype, shape, expected) => {
    const output = new Value("c");
    const node = new Node("Constant", [], [output], { attributes: { [name]: value } });
    const result = new Value("y");
    const graph = new Graph("g", { nodes: [node, new Node("Neg", [output], [result])], outputs: [result] });
    expect(constantNodes.run(new Program(graph), { runtime })).toBe(1);
    expect(output.constant).toMatchObject({ dtype, shape });
    expect([...toNumbers(output.constant!.load())]).toEqual(expected);
    expect(output.producer).toBeUndefined();
  });

  it("keeps the outputs", async () => {
    const program = programOf({ x: [3] }, (emitter, { x }) => {
      const two = emitter.emit("Constant", [], { attributes: { value_float: { float: 2 } } });
      return [emitter.emit("Mul", [x, two])];
    });
    expect(operators(await checkPass(constantNodes, program, { changes: 1 }))).toEqual(["Mul"]);
  });

  it("leaves a constant that is an output of the model, and strings", () => {
    const [a, b, y] = ["a", "b", "y"].map((name) => new Value(name));
    const graph = new Graph("g", {
      nodes: [
        new Node("Constant", [], [a], { attributes: { value_int: 1 } }),
        new Node("Constant", [], [b], { attributes: { value_string: "text" } }),
        new Node("Identity", [b], [y]),
      ],
      outputs: [a!, y!],
    });
    expect(constantNodes.run(new Program(graph), { runtime })).toBe(0);
  });
});
