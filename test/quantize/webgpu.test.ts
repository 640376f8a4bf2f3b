import { expect, it } from "vitest";
import { describeUnless, reasonWithoutNodeWebGpu } from "../support/engines.ts";
import { runInNodeWebGpu } from "../support/node-webgpu.ts";
import type { WebGpuResults } from "./webgpu.node.ts";

describeUnless(reasonWithoutNodeWebGpu(), "models quantized for WebGPU", () => {
  it("decide on WebGPU as they do on the processor", { timeout: 180_000 }, async () => {
    const { layers, example } = await runInNodeWebGpu<WebGpuResults>(new URL("./webgpu.node.ts", import.meta.url));
    expect(layers).toHaveLength(4);
    // Float sums in another order; the processor's MatMulNBits also rounds its inputs to 8 bits, WebGPU's does not: 2 %.
    expect(layers.filter(({ difference }) => !(difference < 2e-2))).toEqual([]);
    expect(layers.filter(({ sameClasses }) => !sameClasses)).toEqual([]);
    expect(example.processor).toHaveLength(20);
    expect(example.webgpu).toEqual(example.processor);
  });
});
