import { expect, it } from "vitest";
import { checkPass, programOf } from "../check-pass.cases.ts";
import { dropPoolDilations } from "./drop-pool-dilations.ts";

it("drops dilations of average pools where they are 1", async () => {
  const program = programOf(
    { x: [1, 2, 6, 6] },
    (e, { x }) => [
      e.emit("AveragePool", [x], { attributes: { kernel_shape: [2, 2], dilations: [1, 1] } }),
      e.emit("AveragePool", [x], { attributes: { kernel_shape: [2, 2], dilations: [2, 1] } }),
      e.emit("MaxPool", [x], { attributes: { kernel_shape: [2, 2], dilations: [1, 1] } }),
    ],
    { opset: 19 },
  );
  const { graph } = await checkPass(dropPoolDilations, program, { changes: 1, tolerance: 0 });
  expect(graph.nodes.map((node) => node.ints("dilations"))).toEqual([undefined, [2, 1], [1, 1]]);
});
