import { expect, it } from "vitest";
import { describeUnless, reasonWithoutNodeWebGpu } from "../support/engines.ts";
import { runInNodeWebGpu } from "../support/node-webgpu.ts";
import type { WebGpuResult } from "./webgpu.node.ts";

describeUnless(reasonWithoutNodeWebGpu(), "models quantized for WebGPU", () => {
  it("decide on WebGPU as they do on the processor", { timeout: 180_000 }, async () => {
    const results = await runInNodeWebGpu<WebGpuResult[]>(new URL("./webgpu.node.ts", import.meta.url));
    expect(results).toHaveLength(7);
    // Float sums in another order; the processor's MatMulNBits also rounds its inputs to 8 bits, WebGPU's does not: 2 %.
    expect(results.filter(({ difference }) => !(difference < 2e-2))).toEqual([]);
    expect(results.filter(({ sameClasses }) => !sameClasses)).toEqual([]);
  });
});
