import { describe, expect, it } from "vitest";
import { constantValue } from "../../program/index.ts";
import { int64, Tensor } from "../../tensor/index.ts";
import { checkPass, numbers, programOf } from "../check-pass.cases.ts";
import { mergeConstants } from "./merge-constants.ts";

describe("mergeConstants", () => {
  it("keeps one of equal constants, and those that differ in shape, type or any bit", async () => {
    const program = programOf({ x: [2, 2] }, (emitter, { x }) => {
      const constants = [
        numbers("a", [2], [0, 1]),
        numbers("same", [2], [0, 1]),
        numbers("negative zero", [2], [-0, 1]),
        numbers("shape", [1, 2], [0, 1]),
      ];
      const half = constantValue("half", new Tensor("float16", [2], Uint16Array.of(0, 0x3c00)));
      const cast = emitter.emit("Cast", [half], { attributes: { to: 1 } });
      return [
        constants.reduce((sum, constant) => emitter.emit("Add", [sum, constant]), emitter.emit("Add", [x!, cast])),
      ];
    });
    const { graph } = await checkPass(mergeConstants, program, { changes: 1 });
    const names = graph.nodes
      .flatMap(({ inputs }) => inputs.filter((input) => input?.constant))
      .map((input) => input!.name);
    expect(names).toEqual(["half", "a", "a", "negative zero", "shape"]);
  });

  it("leaves constants that are outputs of the model", async () => {
    const program = programOf({ x: [1] }, (emitter, { x }) => {
      const output = constantValue("output", int64([1]));
      const reshaped = emitter.emit("Reshape", [emitter.emit("Reshape", [x, output]), constantValue("b", int64([1]))]);
      return [reshaped, output];
    });
    await checkPass(mergeConstants, program, { changes: 0 });
  });
});
