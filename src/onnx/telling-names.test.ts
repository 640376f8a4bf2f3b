import { describe, expect, it } from "vitest";
import { Emitter, Graph, Program, Value } from "../program/index.ts";
import { readModel, writeModel } from "./index.ts";

/** A chain of `length` operators from x to y; the values between are called h0, h1, ... */
function chain(length: number, input = "x"): Program {
  const x = new Value(input, "float32", [2]);
  const emitter = new Emitter();
  let last = x;
  for (let i = 0; i < length; i++) {
    last = emitter.emit("Neg", [last], {
      output: i === length - 1 ? "y" : `h${i}`,
      name: `node${i}`,
      dtype: "float32",
      shape: [2],
    });
  }
  return new Program(new Graph("chain", { inputs: [x], outputs: [last], nodes: emitter.nodes }), [["", 17]], 8);
}

/** The names in a file, in the order of the nodes. */
function namesIn(program: Program, telling: readonly string[]): string[] {
  const { bytes } = writeModel(program, { tellingNames: new Set(telling) });
  return readModel(bytes).graph.nodes.map((node) => node.output().name);
}

describe("writeModel with telling names", () => {
  it("keeps those, the names of inputs, outputs and nodes, and shortens the rest", () => {
    const program = chain(4);
    expect(namesIn(program, ["h1"])).toEqual(["a", "h1", "b", "y"]);
    const read = readModel(writeModel(program, { tellingNames: new Set() }).bytes);
    expect(read.graph.inputs.map(({ name }) => name)).toEqual(["x"]);
    expect(read.graph.nodes.map(({ name }) => name)).toEqual(["node0", "node1", "node2", "node3"]);
    // The program itself keeps its names.
    expect(program.graph.nodes[0]!.output().name).toBe("h0");
  });

  it("gives thousands of values different names, none of them one in use", () => {
    const names = namesIn(chain(3000, "b"), []);
    expect(new Set(["b", ...names]).size).toBe(3001);
    expect(names.slice(0, 2)).toEqual(["a", "c"]);
    expect(Math.max(...names.map((name) => name.length))).toBe(3);
  });
});
