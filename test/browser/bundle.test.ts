import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { bundle } from "../support/browser.ts";

/** Bundles a file of src/ for browsers, without ONNX Runtime (which asks whether it is in Node before it imports from it). */
function bundleSource(path: string): Promise<ReadonlyMap<string, Uint8Array>> {
  return bundle(new URL(`../../src/${path}`, import.meta.url), ["onnxruntime-*"]);
}

describe("the package in a browser's bundle", () => {
  it.each(["index.ts", "runtime/web.ts"])("needs nothing of Node: src/%s", async (path) => {
    for (const [name, bytes] of await bundleSource(path)) {
      expect(new TextDecoder().decode(bytes), name).not.toMatch(/["'`]node:/);
    }
  });

  it("stays small without the engine: below 110 kB gzipped to quantize, 300 kB for everything", async () => {
    const sizeOf = (files: ReadonlyMap<string, Uint8Array>): number =>
      [...files.values()].reduce((sum, bytes) => sum + gzipSync(bytes).length, 0);
    const quantizing = await bundle(new URL("./quantize-only.ts", import.meta.url), ["onnxruntime-*"]);
    expect(sizeOf(quantizing)).toBeLessThan(110_000);
    expect(sizeOf(await bundleSource("index.ts"))).toBeLessThan(300_000);
  });

  it("fails to bundle where Node is needed, so that the first test can fail", async () => {
    await expect(bundleSource("runtime/node.ts")).rejects.toThrow("node:fs");
  });
});
