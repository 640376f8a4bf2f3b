import { describe, expect, it } from "vitest";
import { constantValue, type NodeOptions, type Program, type Value } from "../../program/index.ts";
import { int64 } from "../../tensor/index.ts";
import { checkPass, numbers, operators, programOf, weights } from "../check-pass.cases.ts";
import { foldPad } from "./fold-pad.ts";

const ASYMMETRIC = [0, 0, 1, 2, 0, 0, 3, 0];

function padded(inputs: readonly (Value | undefined)[], pad: NodeOptions, conv: NodeOptions = {}, opset = 18): Program {
  return programOf(
    { x: [1, 2, 6, 6] },
    (emitter, { x }) => [
      emitter.emit("Conv", [emitter.emit("Pad", [x, ...inputs], pad), weights("w", [3, 2, 3, 3])], conv),
    ],
    { opset },
  );
}

const pads = (values: readonly number[]): Value => constantValue("pads", int64(values));

describe("foldPad", () => {
  it("adds uneven pads to a convolution's own", async () => {
    const program = padded([pads(ASYMMETRIC)], {}, { attributes: { pads: [1, 0, 0, 1], strides: [2, 2] } });
    const folded = await checkPass(foldPad, program, { changes: 1 });
    expect(operators(folded)).toEqual(["Conv"]);
    expect(folded.graph.nodes[0]!.ints("pads")).toEqual([2, 2, 3, 1]);
  });

  it("reads pads from the attribute of opset 2, with its value", async () => {
    const attributes = { pads: ASYMMETRIC, mode: "constant", value: { float: 0 } };
    await checkPass(foldPad, padded([], { attributes }, {}, 10), { changes: 1 });
  });

  it("reads the axes of opset 18, negative ones too", async () => {
    const axes = constantValue("axes", int64([-1, 2]));
    const program = padded([pads([2, 1, 0, 3]), undefined, axes], {});
    const folded = await checkPass(foldPad, program, { changes: 1 });
    expect(folded.graph.nodes[0]!.ints("pads")).toEqual([1, 2, 3, 0]);
  });

  it("folds before a convolution without padding (VALID)", async () => {
    await checkPass(foldPad, padded([pads(ASYMMETRIC)], {}, { attributes: { auto_pad: "VALID" } }), { changes: 1 });
  });

  it.each<[string, readonly (Value | undefined)[], NodeOptions, NodeOptions]>([
    ["another number than zero", [pads(ASYMMETRIC), numbers("value", [], [1])], {}, {}],
    ["reflections", [pads(ASYMMETRIC)], { attributes: { mode: "reflect" } }, {}],
    ["pads of the channel axis", [pads([0, 0, 1, 1, 0, 0, 1, 1].with(1, 0).with(0, 1))], {}, {}],
    ["negative pads, which cut off", [pads([0, 0, -1, 0, 0, 0, 0, 0])], {}, {}],
    [
      "pads before a convolution that finds its own",
      [pads(ASYMMETRIC)],
      {},
      { attributes: { auto_pad: "SAME_UPPER" } },
    ],
  ])("leaves %s", async (_, inputs, pad, conv) => {
    await checkPass(foldPad, padded(inputs, pad, conv), { changes: 0 });
  });

  it("folds into every convolution that reads the padded value, and keeps it for others", async () => {
    const program = programOf({ x: [1, 2, 5, 5] }, (emitter, { x }) => {
      const pad = emitter.emit("Pad", [x, pads([0, 0, 1, 1, 0, 0, 1, 1])]);
      const convs = [3, 1].map((size) => emitter.emit("Conv", [pad, weights("w", [2, 2, size, size])]));
      return [...convs, emitter.emit("Relu", [pad])];
    });
    expect(operators(await checkPass(foldPad, program, { changes: 2 }))).toEqual(["Pad", "Conv", "Conv", "Relu"]);
  });
});
