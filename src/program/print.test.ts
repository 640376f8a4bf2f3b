import { describe, expect, it } from "vitest";
import { float32, int64, Tensor } from "../tensor/index.ts";
import { constantValue } from "./edit.ts";
import { Graph } from "./graph.ts";
import { Node } from "./node.ts";
import { printProgram } from "./print.ts";
import { Program } from "./program.ts";
import { Value } from "./value.ts";

function example(): Program {
  const x = new Value("x", "float32", ["batch", 3]);
  const weight = constantValue("weight", float32([3, 4], new Float32Array(12)));
  const bias = constantValue("bias", float32([4], [0.1, 2, -3, 1e-7]));
  const code = constantValue("", new Tensor("int4", [3], Uint8Array.of(0x8f, 0x07)));
  const [h, y, unnamed] = [new Value("h", "float32", ["batch", 4]), new Value("y"), new Value("")];
  const inner = new Value("x", "float32", [null]);
  const branch = new Graph("branch", { nodes: [new Node("Identity", [h], [inner])], outputs: [inner] });
  const nodes = [
    new Node("Gemm", [x, weight, bias], [h], { attributes: { alpha: { float: 1 }, transB: 0 } }),
    new Node("If", [unnamed], [y], { attributes: { then_branch: branch, else_branch: branch } }),
    new Node("Pad", [h, undefined, code], [undefined, new Value("")], {
      domain: "com.microsoft",
      attributes: { mode: "edge", axes: [0, -1], value: int64([7]) },
    }),
  ];
  return new Program(new Graph("main", { inputs: [x, unnamed], outputs: [y], nodes }), [
    ["", 21],
    ["com.microsoft", 1],
  ]);
}

describe("printing a program", () => {
  it("shows each node on a line, constants with their numbers when few, and sub-graphs indented", () => {
    expect(printProgram(example())).toMatchInlineSnapshot(`
      "opset ai.onnx 21, com.microsoft 1
      main(x: float32[batch, 3], %1) -> y
        weight = float32[3, 4]
        bias = float32[4] {0.1, 2, -3, 1e-7}
        %2 = int4[3] {-1, -8, 7}
        h: float32[batch, 4] = Gemm(x, weight, bias, alpha=1f, transB=0)
        y = If(%1)
          then_branch:
            branch() -> x#2
              x#2: float32[?] = Identity(h)
          else_branch:
            branch() -> x#2
              x#2: float32[?] = Identity(h)
        _, %3 = com.microsoft.Pad(h, _, %2, mode="edge", axes=[0, -1], value=int64[1] {7})
      "
    `);
  });

  it("gives the same text for programs that are the same, and other text for others", () => {
    const changed = example();
    changed.graph.nodes[0]!.set("transB", 1);
    expect(printProgram(example())).toBe(printProgram(example()));
    expect(printProgram(changed)).not.toBe(printProgram(example()));
  });
});
