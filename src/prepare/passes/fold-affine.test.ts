import { describe, expect, it } from "vitest";
import type { Emitter, Program, Value } from "../../program/index.ts";
import { toNumbers } from "../../tensor/index.ts";
import { checkPass, numbers, operators, programOf, weights } from "../check-pass.cases.ts";
import { foldAffine } from "./fold-affine.ts";

const PER_CHANNEL = numbers("c", [4, 1, 1], [1, -2, 3, 0.5]);

function afterConv(build: (emitter: Emitter, conv: Value) => Value): Program {
  return programOf({ x: [2, 3, 5, 5] }, (emitter, { x }) => [
    build(emitter, emitter.emit("Conv", [x, weights("w", [4, 3, 3, 3]), weights("b", [4])])),
  ]);
}

describe("foldAffine", () => {
  it.each<[string, (emitter: Emitter, conv: Value) => Value]>([
    ["x + c", (emitter, conv) => emitter.emit("Add", [conv, PER_CHANNEL])],
    ["c + x", (emitter, conv) => emitter.emit("Add", [PER_CHANNEL, conv])],
    ["x - c", (emitter, conv) => emitter.emit("Sub", [conv, PER_CHANNEL])],
    ["c - x", (emitter, conv) => emitter.emit("Sub", [PER_CHANNEL, conv])],
    ["x * c", (emitter, conv) => emitter.emit("Mul", [conv, PER_CHANNEL])],
    ["c * x", (emitter, conv) => emitter.emit("Mul", [PER_CHANNEL, conv])],
    ["x / c", (emitter, conv) => emitter.emit("Div", [conv, PER_CHANNEL])],
    [
      "x * c with a batch axis",
      (emitter, conv) => emitter.emit("Mul", [conv, numbers("c", [1, 4, 1, 1], [1, 2, 3, 4])]),
    ],
    ["x * one number", (emitter, conv) => emitter.emit("Mul", [conv, numbers("c", [], [0.25])])],
  ])("folds %s into a convolution", async (_, build) => {
    expect(operators(await checkPass(foldAffine, afterConv(build), { changes: 1 }))).toEqual(["Conv"]);
  });

  it("folds a chain of them, in order", async () => {
    const program = afterConv((emitter, conv) =>
      emitter.emit("Add", [emitter.emit("Mul", [emitter.emit("Add", [conv, PER_CHANNEL]), PER_CHANNEL]), PER_CHANNEL]),
    );
    expect(operators(await checkPass(foldAffine, program, { changes: 3 }))).toEqual(["Conv"]);
  });

  it.each<[string, (emitter: Emitter, conv: Value) => Value]>([
    ["a number per column", (emitter, conv) => emitter.emit("Mul", [conv, numbers("c", [3], [1, 2, 3])])],
    ["a number per pixel", (emitter, conv) => emitter.emit("Add", [conv, weights("c", [3, 3])])],
    ["a constant of more axes", (emitter, conv) => emitter.emit("Add", [conv, weights("c", [1, 1, 4, 1, 1])])],
    ["c / x", (emitter, conv) => emitter.emit("Div", [PER_CHANNEL, conv])],
    ["a division by zero", (emitter, conv) => emitter.emit("Div", [conv, numbers("c", [], [0])])],
    ["the product with itself", (emitter, conv) => emitter.emit("Mul", [conv, conv])],
  ])("leaves %s", async (_, build) => {
    await checkPass(foldAffine, afterConv(build), { changes: 0 });
  });

  it("folds into a Gemm along its columns, and not along its rows", async () => {
    const followedBy = (c: Value): Program =>
      programOf({ x: [3, 6] }, (emitter, { x }) => [
        emitter.emit("Add", [emitter.emit("Gemm", [x, weights("w", [6, 3]), weights("b", [3])]), c]),
      ]);
    await checkPass(foldAffine, followedBy(numbers("c", [3], [1, 2, 3])), { changes: 1 });
    await checkPass(foldAffine, followedBy(numbers("c", [1, 3], [1, 2, 3])), { changes: 1 });
    await checkPass(foldAffine, followedBy(numbers("c", [3, 1], [1, 2, 3])), { changes: 0 });
  });

  it("folds factors, but not terms, into a MatMul of any rank", async () => {
    const followedBy = (operator: string): Program =>
      programOf({ x: [2, 3, 6] }, (emitter, { x }) => [
        emitter.emit(operator, [emitter.emit("MatMul", [x, weights("w", [6, 4])]), numbers("c", [4], [1, 2, 3, 4])]),
      ]);
    expect(operators(await checkPass(foldAffine, followedBy("Mul"), { changes: 1 }))).toEqual(["MatMul"]);
    await checkPass(foldAffine, followedBy("Add"), { changes: 0 });
  });

  it("computes b c and w c: weight 2, bias 3, times 5 give 10 and 15", async () => {
    const program = programOf({ x: [1, 1, 2, 2] }, (emitter, { x }) => [
      emitter.emit("Mul", [
        emitter.emit("Conv", [x, numbers("w", [1, 1, 1, 1], [2]), numbers("b", [1], [3])]),
        numbers("c", [], [5]),
      ]),
    ]);
    const [conv] = (await checkPass(foldAffine, program, { changes: 1 })).graph.nodes;
    expect([...toNumbers(conv!.inputs[1]!.constant!.load())]).toEqual([10]);
    expect([...toNumbers(conv!.inputs[2]!.constant!.load())]).toEqual([15]);
  });

  it("leaves a term that is added to a value somebody else uses too", async () => {
    const program = programOf({ x: [1, 3, 3, 3] }, (emitter, { x }) => {
      const conv = emitter.emit("Conv", [x, weights("w", [4, 3, 1, 1])]);
      return [emitter.emit("Add", [conv, PER_CHANNEL]), emitter.emit("Relu", [conv])];
    });
    await checkPass(foldAffine, program, { changes: 0 });
  });
});
