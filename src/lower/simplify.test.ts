import { describe, expect, it } from "vitest";
import { Ops } from "../build/index.ts";
import { Program, printProgram, removeDeadNodes, type Value } from "../program/index.ts";
import { rewriteProgram } from "./rewrite.ts";
import { shareNodes } from "./share-nodes.ts";
import { simplify } from "./simplify.ts";

/** Builds y from x [2, 3], simplifies, and returns the nodes that are left. */
function simplified(build: (ops: Ops, x: Value) => Value): string[] {
  const program = built(build);
  rewriteProgram(program, simplify);
  removeDeadNodes(program.graph);
  return nodesOf(program);
}

function built(build: (ops: Ops, x: Value) => Value): Program {
  const ops = new Ops();
  const y = build(ops, ops.input("x", "float32", [2, 3]));
  y.name = "y";
  ops.writer.graph.outputs = [y];
  return new Program(ops.writer.graph, ops.writer.opsets);
}

function nodesOf(program: Program): string[] {
  return printProgram(program)
    .split("\n")
    .filter((line) => line.includes("("))
    .slice(1)
    .map((line) => line.trim());
}

describe("simplify", () => {
  it("drops nodes that do nothing", () => {
    expect(simplified((ops, x) => ops.relu(ops.mul(ops.identity(x), 1)))).toEqual(["y: float32[2, 3] = Relu(x)"]);
    expect(simplified((ops, x) => ops.relu(ops.neg(ops.neg(x))))).toEqual(["y: float32[2, 3] = Relu(x)"]);
    expect(simplified((ops, x) => ops.relu(ops.transpose(ops.transpose(x, [1, 0]), [1, 0])))).toEqual([
      "y: float32[2, 3] = Relu(x)",
    ]);
  });

  it("keeps a product with 1 that broadcasts", () => {
    expect(simplified((ops, x) => ops.mul(ops.full([4, 1, 1], 1), x))).toHaveLength(1);
  });

  it("computes what depends on constants only, with the rounding of the element type", () => {
    const lines = simplified((ops, x) => ops.mul(x, ops.div(ops.scalar(1), 3)));
    expect(lines).toEqual(["y: float32[2, 3] = Mul(x, constant)"]);
  });

  it("lets the next operator broadcast instead of expanding", () => {
    expect(simplified((ops, x) => ops.mul(ops.expand(ops.scalar(2), [2, 3]), x))).toEqual([
      "y: float32[2, 3] = Mul(constant, x)",
    ]);
    const bothNeeded = simplified((ops, x) => {
      const row = ops.reduceSum(x, { axes: [0] });
      return ops.add(ops.expand(row, [2, 3]), ops.expand(ops.full([1, 3], 2), [2, 3]));
    });
    expect(bothNeeded.join()).toContain("Expand");
  });

  it("keeps the names of outputs, also of inputs that come out", () => {
    const program = built((ops, x) => ops.identity(x));
    rewriteProgram(program, simplify);
    expect(nodesOf(program)).toEqual(["y: float32[2, 3] = Identity(x)"]);
  });
});

describe("shareNodes", () => {
  it("computes once what is written twice", () => {
    const program = built((ops, x) => ops.add(ops.exp(ops.mul(x, 2)), ops.exp(ops.mul(x, 2))));
    expect(shareNodes(program)).toBe(2);
    expect(nodesOf(program)).toHaveLength(3);
  });

  it("tells nodes with other attributes, other inputs or random results apart", () => {
    const program = built((ops, x) => {
      const random = () => ops.emit("RandomUniformLike", [x]);
      const sums = ops.add(ops.softmax(x, 0), ops.softmax(x, 1));
      return ops.add(sums, ops.sub(random(), random()));
    });
    expect(shareNodes(program)).toBe(0);
  });
});
