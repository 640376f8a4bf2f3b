import { describe, expect, it } from "vitest";
import { toNumbers } from "../../tensor/index.ts";
import { checkPass, numbers, programOf, weights } from "../check-pass.cases.ts";
import { normalizeGemm } from "./normalize-gemm.ts";

const gemm = (attributes: { alpha?: number; beta?: number }, bias = numbers("b", [1, 3], [1, 2, 4])) =>
  programOf({ x: [2, 5] }, (emitter, { x }) => {
    const floats = Object.entries(attributes).map(([name, float]) => [name, { float }]);
    return [emitter.emit("Gemm", [x, weights("w", [5, 3]), bias], { attributes: Object.fromEntries(floats) })];
  });

describe("normalizeGemm", () => {
  it.each([{ alpha: 0.5 }, { beta: 3 }, { alpha: -2, beta: 0.25 }, { beta: 0 }])(
    "multiplies %o into weights and bias",
    async (attributes) => {
      const normal = await checkPass(normalizeGemm, gemm(attributes), { changes: 1 });
      expect(normal.graph.nodes[0]!.attributes.size).toBe(0);
    },
  );

  it("multiplies the bias by beta alone", async () => {
    const normal = await checkPass(normalizeGemm, gemm({ alpha: 5, beta: 3 }), { changes: 1 });
    expect([...toNumbers(normal.graph.nodes[0]!.inputs[2]!.constant!.load())]).toEqual([3, 6, 12]);
  });

  it("leaves a Gemm without factors, and one whose bias differs from row to row", async () => {
    await checkPass(normalizeGemm, gemm({ alpha: 1, beta: 1 }), { changes: 0 });
    await checkPass(normalizeGemm, gemm({ alpha: 2 }, weights("b", [2, 3])), { changes: 0 });
  });
});
