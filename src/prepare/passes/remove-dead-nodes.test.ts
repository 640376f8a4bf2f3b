import { describe, expect, it } from "vitest";
import { checkPass, operators, programOf } from "../check-pass.cases.ts";
import { removeDeadNodes } from "./remove-dead-nodes.ts";

describe("removeDeadNodes", () => {
  it("removes what no output depends on, and keeps the inputs", async () => {
    const program = programOf({ x: [2], unused: [2] }, (emitter, { x, unused }) => {
      emitter.emit("Exp", [emitter.emit("Neg", [unused])]);
      return [emitter.emit("Relu", [x])];
    });
    const rewritten = await checkPass(removeDeadNodes, program, { changes: 2 });
    expect(operators(rewritten)).toEqual(["Relu"]);
    expect(rewritten.graph.inputs).toHaveLength(2);
  });
});
