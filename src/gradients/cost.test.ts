import { describe, expect, it } from "vitest";
import { GraphWriter, Ops } from "../build/index.ts";
import { lowerProgram } from "../lower/index.ts";
import { Program, type Value } from "../program/index.ts";
import { elementCount, int64 } from "../tensor/index.ts";
import { gradients } from "./gradients.ts";

/** Operators of the gradient with respect to all inputs, the forward ones that nobody needs left out. */
function backward(shapes: readonly (readonly number[])[], build: (ops: Ops, ...inputs: Value[]) => Value): Program {
  const ops = new Ops(new GraphWriter(undefined, 21));
  const inputs = shapes.map((shape, index) => ops.input(`x${index}`, "float32", shape));
  const y = build(ops, ...inputs);
  // A gradient that is fed keeps the backward graph from being folded.
  const dy = ops.input("dy", "float32", ops.shapeOf(y));
  const found = gradients(ops, ops.reduceSum(ops.mul(y, dy), { keepDims: false }), inputs);
  const { graph } = ops.writer;
  graph.outputs = found.map((gradient) => gradient!);
  const program = new Program(graph, ops.writer.opsets);
  lowerProgram(program, { device: "cpu" });
  return program;
}

function operatorsOf(program: Program): string[] {
  return program.graph.nodes.map(({ operator }) => operator);
}

/** The most numbers any node makes. */
function largest(program: Program): number {
  return Math.max(...program.graph.nodes.flatMap(({ outputs }) => outputs.map((value) => sizeOf(value!))));
}

function sizeOf(value: Value): number {
  return elementCount(value.shape as readonly number[]);
}

describe("gradients are made of", () => {
  it.each([
    [
      "one Split for Concat",
      [
        [2, 3],
        [2, 5],
      ],
      (ops: Ops, a: Value, b: Value) => ops.concat([a, b], 1),
      ["Split"],
    ],
    [
      "one Pad for Slice",
      [[5, 6]],
      (ops: Ops, x: Value) => ops.slice(x, { axes: [0, 1], starts: [1, 2], ends: [4, -1] }),
      ["Pad"],
    ],
    [
      "one Pad for a row that is gathered",
      [[5, 6]],
      (ops: Ops, x: Value) => ops.gather(x, ops.constant(int64([0], [])), 0),
      ["Reshape", "Pad"],
    ],
    [
      "one product for a matrix that is multiplied with a batch",
      [
        [3, 4],
        [8, 5, 4],
      ],
      (ops: Ops, w: Value, x: Value) => ops.matMul(x, ops.transpose(w, [1, 0])),
      undefined,
    ],
  ] as const)("%s", (_, shapes, build, expected) => {
    const program = backward(
      shapes as readonly (readonly number[])[],
      build as (ops: Ops, ...inputs: Value[]) => Value,
    );
    if (expected) expect(operatorsOf(program)).toEqual(expected);
    else expect(operatorsOf(program).filter((operator) => operator === "ReduceSum")).toEqual([]);
  });

  it("one scattering for rows that are gathered, along the axis of the rows", () => {
    const program = backward([[1000, 16]], (ops, table) => ops.gather(table, ops.input("token", "int64", [8]), 0));
    expect(operatorsOf(program).filter((operator) => operator.startsWith("Scatter"))).toEqual(["ScatterElements"]);
    const scatter = program.graph.nodes.find(({ operator }) => operator === "ScatterElements")!;
    expect(scatter.input(1).shape).toEqual([16, 8]);
  });

  it("a sum over each block where a picture was enlarged by a whole number", () => {
    const program = backward([[1, 2, 4, 4]], (ops, x) => {
      const sizes = ops.constant(int64([1, 2, 8, 8]));
      const attributes = { coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" };
      return ops.emit("Resize", [x, undefined, undefined, sizes], attributes);
    });
    expect(operatorsOf(program)).not.toContain("MatMul");
  });

  it("nothing larger than what is pooled, for a mean over blocks", () => {
    const program = backward([[2, 3, 8, 8]], (ops, x) => ops.averagePool(x, [2, 2], { strides: [2, 2] }));
    expect(operatorsOf(program)).not.toContain("ConvTranspose");
    expect(largest(program)).toBe(2 * 3 * 64);
  });

  describe("as many nodes per step of an LSTM however many there are", () => {
    const nodesOf = (time: number) =>
      backward(
        [
          [time, 2, 3],
          [1, 16, 3],
          [1, 16, 4],
        ],
        (ops, x, w, r) => ops.emitAll("LSTM", [x, w, r], 1, { hidden_size: 4 })[0]!,
      );

    it("and no product per step with the gradient of the weights", () => {
      const [short, long] = [nodesOf(10), nodesOf(20)];
      const perStep = (long.graph.nodes.length - short.graph.nodes.length) / 10;
      expect(Number.isInteger(perStep)).toBe(true);
      expect(long.graph.nodes.length).toBeLessThan(40 * 20);
      // Per step: one product of the recomputed forward pass, one of the backward pass.
      const products = (program: Program) =>
        operatorsOf(program).filter((operator) => operator.endsWith("MatMul")).length;
      expect(products(long) - products(short)).toBe(2 * 10);
    });

    it("each as large as one step", () => {
      const size = (program: Program) =>
        program.graph.nodes.flatMap(({ outputs }) => outputs.map((value) => sizeOf(value!))).reduce((a, b) => a + b);
      expect(size(nodesOf(20)) / size(nodesOf(10))).toBeLessThan(2.1);
    });
  });
});
