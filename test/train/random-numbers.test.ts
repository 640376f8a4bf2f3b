import { expect, it } from "vitest";
import { BROWSER_TIMEOUT_MS, runInBrowser } from "../support/browser.ts";
import { describeUnless, reasonWithoutBrowser, reasonWithoutNodeWebGpu } from "../support/engines.ts";
import { runInNodeWebGpu } from "../support/node-webgpu.ts";
import { run } from "./random-numbers.node.ts";

const SAME = { wrong: 0, count: 6010 };

it("random numbers of a step are the same on WASM", async () => {
  expect(await run({ device: "wasm", threads: 1 })).toEqual(SAME);
});

describeUnless(reasonWithoutNodeWebGpu(), "random numbers of a step on WebGPU in Node", () => {
  it("are the same", { timeout: BROWSER_TIMEOUT_MS }, async () => {
    const entry = new URL("./random-numbers.node.ts", import.meta.url);
    expect(await runInNodeWebGpu(entry, { device: "webgpu" })).toEqual(SAME);
  });
});

describeUnless(reasonWithoutBrowser(), "random numbers of a step in a page", () => {
  it.each(["wasm", "webgpu"])("are the same on %s", { timeout: BROWSER_TIMEOUT_MS }, async (device) => {
    const entry = new URL("./random-numbers.page.ts", import.meta.url);
    expect(await runInBrowser({ entry, args: { device }, webgpu: device === "webgpu" })).toEqual(SAME);
  });
});
