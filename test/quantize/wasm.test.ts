import { describe, expect, it } from "vitest";
import { graphModels } from "../../src/quantize/lowering/graph-models.cases.ts";
import { layerModels } from "../../src/quantize/lowering/layer-models.cases.ts";
import { batchesOf, quantizeAs, relativeDifference, run } from "../../src/quantize/lowering/lower-model.cases.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { topClasses } from "./top-classes.ts";

const wasm = await nodeRuntime({ device: "wasm", threads: 1 });

describe("models quantized for the cpu", () => {
  const models = [...layerModels.map(({ name, build, rows }) => ({ name, build, rows })), ...graphModels];
  it.each(models.map((model) => [model.name, model] as const))("run in WASM as in Node: %s", async (_, model) => {
    const program = model.build();
    const batches = batchesOf(program, "rows" in model ? model.rows : undefined);
    for (const activations of "cpu" in model ? [8] : [8, 16]) {
      const { program: quantized } = await quantizeAs(program, { target: "cpu", weights: 4, activations }, batches);
      const expected = await run(quantized, batches[0]!);
      const actual = await run(quantized, batches[0]!, { on: wasm });
      // Integer results differ by no more than a rounding of the last scaling, one step of some 250 over the output's range
      // (a step earlier in the model may move others a little further); float sums by 1e-6, MatMulNBits' by 1e-2.
      expect(relativeDifference(expected, actual)).toBeLessThan(2e-2);
      expect(topClasses(actual, 4)).toEqual(topClasses(expected, 4));
    }
  });
});
