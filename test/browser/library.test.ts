import { readFileSync } from "node:fs";
import { beforeAll, expect, it } from "vitest";
import { nodeRuntime } from "../../src/runtime/node.ts";
import type { WebRuntimeOptions } from "../../src/runtime/web.ts";
import { BROWSER_TIMEOUT_MS, runInBrowser } from "../support/browser.ts";
import { describeUnless, reasonWithoutBrowser } from "../support/engines.ts";
import { type LibraryResult, runLibrary } from "./run-library.ts";

const PAGE = new URL("./library.page.ts", import.meta.url);
const model = readFileSync(new URL("../../examples/fashion-mnist/model.onnx", import.meta.url));

describeUnless(reasonWithoutBrowser(), "the library in a page", () => {
  let inNode: LibraryResult;
  beforeAll(async () => {
    inNode = await runLibrary(model, await nodeRuntime({ device: "wasm", threads: 1 }));
  });

  const lanes: readonly WebRuntimeOptions[] = [
    { device: "wasm", threads: 1 },
    { device: "wasm", threads: 2 },
    { device: "webgpu" },
  ];
  it.each(lanes)("gives the scores it gives in Node: %o", { timeout: BROWSER_TIMEOUT_MS }, async (args) => {
    const files = { "model.onnx": model };
    const webgpu = args.device === "webgpu";
    const inPage = await runInBrowser<LibraryResult>({ entry: PAGE, args, files, webgpu });
    expect(inPage.macs).toBe(inNode.macs);
    expect(inPage.scores).toHaveLength(40);
    // float32 sums of a few hundred products in another order: some 1e-6 of scores around 10.
    for (const [i, score] of inPage.scores.entries()) expect(Math.abs(score - inNode.scores[i]!)).toBeLessThan(1e-4);
  });

  it("hears of what fails in the page", { timeout: BROWSER_TIMEOUT_MS }, async () => {
    await expect(runInBrowser({ entry: PAGE, args: { threads: 1.5 } })).rejects.toThrow(
      /in the page: .*threads must be/s,
    );
  });
});
