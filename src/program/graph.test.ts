import { describe, expect, it } from "vitest";
import { ModelFormatError } from "../errors.ts";
import { float32, int64 } from "../tensor/index.ts";
import { cloneProgram } from "./clone.ts";
import { constantValue, removeDeadNodes, sortNodes } from "./edit.ts";
import { Graph } from "./graph.ts";
import { Node } from "./node.ts";
import { Program } from "./program.ts";
import { staticShape, Value } from "./value.ts";

/** y = If(condition) { Add(h, c) } else { h }, h = Relu(x), and a node and a constant nobody uses. */
function example() {
  const [x, condition, h, y, unused] = ["x", "condition", "h", "y", "unused"].map((name) => new Value(name)) as [
    Value, Value, Value, Value, Value,
  ]; // biome-ignore format: one line
  const c = constantValue("c", float32([1], [1]));
  const forgotten = constantValue("forgotten", float32([1], [2]));
  const sum = new Value("sum");
  const relu = new Node("Relu", [x], [h]);
  const dead = new Node("Neg", [h], [unused]);
  const choose = new Node("If", [condition], [y], {
    attributes: {
      then_branch: new Graph("then", { nodes: [new Node("Add", [h, c], [sum])], outputs: [sum] }),
      else_branch: new Graph("else", { outputs: [h] }),
    },
  });
  const graph = new Graph("main", {
    inputs: [x, condition],
    outputs: [y],
    nodes: [relu, dead, choose],
    initializers: [c, forgotten],
  });
  return { graph, x, h, y, c, relu, dead, choose };
}

describe("graphs", () => {
  it("find every use of a value, in sub-graphs and as their outputs too", () => {
    const { graph, h, y, choose, dead } = example();
    const [then, otherwise] = choose.subgraphs as [Graph, Graph];
    expect(graph.uses().get(h)).toEqual([
      { node: dead, index: 0, graph },
      { node: then.nodes[0], index: 0, graph: then },
      { node: undefined, index: 0, graph: otherwise },
    ]);
    expect(graph.uses().get(y)).toEqual([{ node: undefined, index: 0, graph }]);
  });

  it("replace every use", () => {
    const { graph, x, h } = example();
    graph.replaceUses(h, x);
    expect(graph.uses().has(h)).toBe(false);
    expect(graph.uses().get(x)).toHaveLength(4);
  });

  it("lose the nodes and constants nobody uses, and keep what only sub-graphs use", () => {
    const { graph, relu, choose, c } = example();
    expect(removeDeadNodes(graph)).toBe(1);
    expect(graph.nodes).toEqual([relu, choose]);
    expect(graph.initializers).toEqual([c]);
    expect(removeDeadNodes(graph)).toBe(0);
  });

  it("are sorted so that what a sub-graph uses comes before, and stay as they are when sorted", () => {
    const { graph, relu, dead, choose } = example();
    graph.nodes = [choose, dead, relu];
    sortNodes(graph);
    expect(graph.nodes).toEqual([relu, choose, dead]);
    sortNodes(graph);
    expect(graph.nodes).toEqual([relu, choose, dead]);
  });

  it("are sorted without recursion: a chain of 100,000 nodes in reverse", () => {
    const values = Array.from({ length: 100_001 }, (_, i) => new Value(`v${i}`));
    const nodes = values.slice(1).map((value, i) => new Node("Relu", [values[i]], [value]));
    const graph = new Graph("chain", { inputs: [values[0]!], nodes: nodes.toReversed() });
    sortNodes(graph);
    expect(graph.nodes.every((node, i) => node === nodes[i])).toBe(true);
  });

  it("with a cycle are not sorted", () => {
    const [a, b] = [new Value("a"), new Value("b")];
    const graph = new Graph("g", { nodes: [new Node("Relu", [a], [b]), new Node("Neg", [b], [a])] });
    expect(() => sortNodes(graph)).toThrow("internal: the graph has a cycle");
  });
});

describe("copies of a program", () => {
  const { graph, h, c, choose } = example();
  const original = new Program(
    graph,
    [
      ["", 17],
      ["custom", 2],
    ],
    8,
  );
  original.producerName = "someone";
  const { program, values } = cloneProgram(original);

  it("have values and nodes of their own, and share the numbers", () => {
    expect(values.get(h)).not.toBe(h);
    expect(values.get(c)!.constant).toBe(c.constant);
    expect([...program.allNodes()].every((node) => !([...original.allNodes()] as Node[]).includes(node))).toBe(true);
    expect([program.producerName, program.opset, program.irVersion]).toEqual(["someone", 17, 8]);
  });

  it("connect sub-graphs to the copies of outer values", () => {
    const copied = program.graph.nodes.find((node) => node.operator === "If")!;
    expect(copied.subgraphs[0]!.nodes[0]!.input(0)).toBe(values.get(h));
    expect(copied.subgraphs[1]!.outputs[0]).toBe(values.get(h));
    expect(values.get(h)!.producer).toBe(program.graph.nodes[0]);
  });

  it("change without changing the original", () => {
    const copied = cloneProgram(original).program;
    copied.graph.nodes.pop();
    copied.opsets.set("", 21);
    copied.graph.nodes[0]!.set("axis", 1);
    expect([graph.nodes.length, original.opset, graph.nodes[0]!.int("axis")]).toEqual([3, 17, undefined]);
    expect(graph.nodes).toContain(choose);
  });
});

describe("nodes", () => {
  it("take attributes as plain values and tell them again", () => {
    const node = new Node("Any", [], [], {
      attributes: {
        axis: -1,
        big: 2n ** 62n,
        alpha: 0.5,
        one: { float: 1 },
        mode: "edge",
        pads: [0, 1],
        scales: [1, 1.5],
        names: ["a", "é"],
        value: int64([3]),
      },
    });
    const kinds = Object.fromEntries([...node.attributes].map(([name, { kind }]) => [name, kind]));
    expect(kinds).toEqual({
      axis: "int", big: "int", alpha: "float", one: "float", mode: "string", pads: "ints", scales: "floats", names: "strings", value: "tensor",
    }); // biome-ignore format: a table
    expect([
      node.int("axis"),
      node.float("alpha", 0),
      node.float("one", 0),
      node.string("mode", ""),
      node.ints("pads"),
    ]).toEqual([-1, 0.5, 1, "edge", [0, 1]]);
    expect([node.int("absent", 7), node.int("mode", 7), node.ints("axis"), node.float("axis", 2)]).toEqual([
      7,
      7,
      undefined,
      2,
    ]);
  });

  it("say which input or output is missing, by operator and name", () => {
    const node = new Node("Conv", [undefined], [new Value("y")], { name: "stem" });
    expect(() => node.input(0)).toThrow("Conv (stem): input 0 must be present, got none.");
    expect(() => node.input(0)).toThrow(ModelFormatError);
    expect(() => node.output(1)).toThrow("Conv (stem): output 1 must be present, got none.");
    expect(new Node("Relu", [], [undefined, new Value("y")]).label).toBe("Relu (y)");
    expect(new Node("Relu", [], []).label).toBe("Relu");
  });

  it("are known as the producers of their outputs", () => {
    const y = new Value("y");
    expect(new Node("Relu", [], [y])).toBe(y.producer);
  });
});

it("a shape is static when every length is a number", () => {
  const shapes = [[2, 3], [], ["batch", 3], [null], undefined] as const;
  expect(shapes.map((shape) => staticShape(new Value("v", "float32", shape)))).toEqual([
    [2, 3],
    [],
    undefined,
    undefined,
    undefined,
  ]);
});
