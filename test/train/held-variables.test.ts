import { expect, it } from "vitest";
import { BROWSER_TIMEOUT_MS, runInBrowser } from "../support/browser.ts";
import { describeUnless, reasonWithoutBrowser } from "../support/engines.ts";
import type { HeldVariables } from "./held-variables.page.ts";

describeUnless(reasonWithoutBrowser(), "variables of a training in a page", () => {
  const run = (device: string) =>
    runInBrowser<HeldVariables>({
      entry: new URL("./held-variables.page.ts", import.meta.url),
      args: { device },
      webgpu: device === "webgpu",
    });

  it("stay in the GPU's memory between steps; the batch, the rate and the counters come from here", {
    timeout: BROWSER_TIMEOUT_MS,
  }, async () => {
    const [gpu, wasm] = [await run("webgpu"), await run("wasm")];
    expect(gpu.locations).toEqual({
      x: "host",
      learningRate: "host",
      step: "host",
      "head.weight": "gpu-buffer",
      "head.bias": "gpu-buffer",
      "optimizer.momentum.head.weight": "gpu-buffer",
      "optimizer.momentum.head.bias": "gpu-buffer",
      seed: "host",
    });
    expect(wasm.locations["head.weight"]).toBe("cpu");
    // Sums of a few products in another order: some 1e-7 of numbers around 1.
    gpu.weight.forEach((weight, index) => {
      expect(Math.abs(weight - wasm.weight[index]!)).toBeLessThan(1e-5);
    });
  });
});
