import { describe, expect, it } from "vitest";
import { constantValue, type Value } from "../../program/index.ts";
import { int64 } from "../../tensor/index.ts";
import { checkPass, numbers, programOf } from "../check-pass.cases.ts";
import { expandPadAxes } from "./expand-pad-axes.ts";

const integers = (...values: number[]): Value => constantValue("integers", int64(values));

describe("expandPadAxes", () => {
  it("writes the pads of some axes as pads of all, negative axes included", async () => {
    const program = programOf(
      { x: [1, 2, 4, 5] },
      (e, { x }) => [
        e.emit("Pad", [x, integers(1, 2, 0, 3), undefined, integers(-1, 2)]),
        e.emit("Pad", [x, integers(1, 0), numbers("one", [], [1]), integers(3)]),
      ],
      { opset: 18 },
    );
    const { graph } = await checkPass(expandPadAxes, program, { changes: 2, tolerance: 0 });
    expect(graph.nodes.map((node) => node.inputs.length)).toEqual([2, 3]);
  });

  it("leaves alone a Pad of all axes", async () => {
    const program = programOf({ x: [2, 3] }, (e, { x }) => [e.emit("Pad", [x, integers(0, 1, 0, 2)])], { opset: 18 });
    await checkPass(expandPadAxes, program, { changes: 0, tolerance: 0 });
  });
});
