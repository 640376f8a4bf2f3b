import { describe, expect, it } from "vitest";
import type { Program } from "../program/index.ts";
import { checkPass, numbers, operators, programOf, randomFeeds, runtime, weights } from "./check-pass.cases.ts";
import type { Pass } from "./pass.ts";
import { passes } from "./passes/index.ts";
import { prepareProgram } from "./prepare-program.ts";

/** Identity, MatMul, bias, batch norm and a factor: what only several passes together can make one layer of. */
function fullyConnected(): Program {
  return programOf({ x: [2, 5] }, (emitter, { x }) => {
    const transposed = emitter.emit("Transpose", [weights("w", [3, 5])]);
    const product = emitter.emit("MatMul", [emitter.emit("Identity", [x]), transposed]);
    const biased = emitter.emit("Add", [numbers("b", [3], [1, 2, 3]), product]);
    const parameters = ["gamma", "beta", "mean", "variance"].map((name) => numbers(name, [3], [1, 2, 3]));
    const normal = emitter.emit("BatchNormalization", [biased, ...parameters]);
    return [emitter.emit("Relu", [emitter.emit("Mul", [normal, numbers("two", [], [2])])], { output: "y" })];
  });
}

describe("prepareProgram", () => {
  it("applies passes until none finds anything, and records what each did", async () => {
    const original = fullyConnected();
    const prepared = await prepareProgram(original, { runtime, verify: randomFeeds(original) });
    expect(operators(prepared.program)).toEqual(["Gemm", "Relu"]);
    expect(Object.fromEntries(prepared.changes)).toMatchObject({
      "remove-no-ops": 1,
      "fold-constants": 1,
      "matmul-to-gemm": 1,
      "fold-batch-norm": 1,
      "fold-affine": 2,
    });
    expect(prepared.difference!.relative).toBeLessThan(1e-5);
    expect(prepared.shapeProblem).toBeNull();
  });

  it("leaves the program it is given as it was", async () => {
    const original = fullyConnected();
    const before = operators(original);
    await prepareProgram(original, { runtime });
    expect(operators(original)).toEqual(before);
  });

  it("finds nothing to do in a prepared program", async () => {
    const { program } = await prepareProgram(fullyConnected(), { runtime });
    expect((await prepareProgram(program, { runtime })).changes.size).toBe(0);
  });

  it("refuses the result of a wrong pass (negative control)", async () => {
    const wrong: Pass = {
      name: "forget-relu",
      summary: "Takes Relu for a no-op.",
      run({ graph }) {
        const relu = graph.nodes.find(({ operator }) => operator === "Relu");
        if (!relu) return 0;
        relu.input(0).producer!.outputs[0] = relu.output();
        graph.nodes = graph.nodes.filter((node) => node !== relu);
        return 1;
      },
    };
    const original = fullyConnected();
    const verify = randomFeeds(original);
    await expect(prepareProgram(original, { runtime, verify, passes: [...passes, wrong] })).rejects.toThrow(
      /prepare: the prepared model must give the original's outputs within 0.001, got a relative difference of .* at "y" after .*forget-relu/,
    );
    await expect(checkPass(wrong, original, { changes: 1 })).rejects.toThrow();
  });

  it("forgets declared shapes that contradict what follows from the inputs, and says so", async () => {
    const original = programOf({ x: [1, 3, 4, 4] }, (emitter, { x }) => {
      const conv = emitter.emit("Conv", [x, weights("w", [2, 3, 1, 1])]);
      return [emitter.emit("Add", [conv, numbers("b", [2, 1, 1], [1, 2])])];
    });
    original.graph.outputs[0]!.shape = [1, 7, 4, 4];
    const prepared = await prepareProgram(original, { runtime });
    expect(operators(prepared.program)).toEqual(["Conv"]);
    expect(prepared.shapeProblem).toMatch(/\[1, 7, 4, 4\]/);
    expect(prepared.program.graph.outputs[0]!.shape).toEqual([1, 2, 4, 4]);
  });

  it("has passes with unique kebab-case names and a sentence each", () => {
    expect(new Set(passes.map(({ name }) => name)).size).toBe(passes.length);
    for (const { name, summary } of passes) {
      expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(summary).toMatch(/^[A-Z].*\.$/);
    }
  });
});
