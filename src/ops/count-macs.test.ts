import { describe, expect, it } from "vitest";
import { constantValue, Graph, Node, Program, type Shape, Value } from "../program/index.ts";
import { zeros } from "../tensor/index.ts";
import { countMacs } from "./count-macs.ts";

function product(shape: Shape, operator = "MatMul", domain = ""): { program: Program; x: Value; nodes: Node[] } {
  const [x, hidden, y] = [new Value("x", "float32", shape), new Value("hidden"), new Value("y")];
  const nodes = [
    new Node("MatMul", [x, constantValue("w", zeros("float32", [3, 5]))], [hidden]),
    new Node(operator, [hidden, constantValue("v", zeros("float32", [5, 2]))], [y], { domain }),
  ];
  return { program: new Program(new Graph("g", { inputs: [x], outputs: [y], nodes })), x, nodes };
}

describe("countMacs", () => {
  it("counts one sample when the batch is free, and leaves the program as it was", () => {
    const { program, x, nodes } = product(["batch", 7, 3]);
    const { total, complete, byNode } = countMacs(program);
    expect(total).toBe(7 * 3 * 5 + 7 * 5 * 2);
    expect(complete).toBe(true);
    expect(byNode.get(nodes[1]!)).toBe(70);
    expect(x.shape).toEqual(["batch", 7, 3]);
    expect(nodes[0]!.output().shape).toBeUndefined();
  });

  it("counts for the shapes it is given", () => {
    expect(countMacs(product(["batch", "length", 3]).program, { inputShapes: { x: [2, 4, 3] } }).total).toBe(8 * 25);
  });

  it("says what it does not know: free lengths and unknown operators", () => {
    const free = countMacs(product(["batch", "length", 3]).program);
    expect(free).toMatchObject({ total: 0, complete: false });
    const unknown = product([1, 3], "Mystery", "example");
    const counts = countMacs(unknown.program);
    expect(counts).toMatchObject({ total: 15, complete: false });
    expect(counts.byNode.get(unknown.nodes[1]!)).toBeNull();
  });
});
