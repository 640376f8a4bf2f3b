import { beforeAll, expect, it } from "vitest";
import { runLayer } from "../../test/nn/run-layer.ts";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, seededRandom, toNumbers } from "../tensor/index.ts";
import { translatedRelu } from "./activations.ts";

describeUnless(reasonWithoutOnnxRuntimeNode(), "translatedRelu", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  it("makes normal numbers ones of mean 0 and variance 1, and cuts where relu does", async () => {
    const random = seededRandom(7);
    const count = 100_000;
    const numbers = Float32Array.from({ length: count }, (_, i) => (i < 2 ? -i : random.normal()));
    const { y } = await runLayer(runtime, (inputs, scope) => translatedRelu()(inputs.x!, scope), {
      inputs: { x: float32([count], numbers) },
    });
    const values = Array.from(toNumbers(y));
    const mean = values.reduce((sum, value) => sum + value, 0) / count;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
    // The mean scatters by 0.003, the variance (of fourth moment 4.9) by 0.006.
    expect(Math.abs(mean)).toBeLessThan(0.01);
    expect(Math.abs(variance - 1)).toBeLessThan(0.02);
    expect(values[1]).toBe(values[0]);
    expect(Math.min(...values.slice(0, 1000))).toBe(values[0]);
  });
});
