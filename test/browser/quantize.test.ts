import { beforeAll, expect, it } from "vitest";
import { quantize } from "../../src/index.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { exampleBytes, exampleCalibration } from "../quantize/example.ts";
import { topClasses } from "../quantize/top-classes.ts";
import { BROWSER_TIMEOUT_MS, runInBrowser } from "../support/browser.ts";
import { describeUnless, reasonWithoutBrowser } from "../support/engines.ts";
import { calibrationFrom, type QuantizedExample, summaryOf } from "./quantize-example.ts";

describeUnless(reasonWithoutBrowser(), "quantize in a page", () => {
  let pictures: Float32Array;
  let inPage: QuantizedExample;
  beforeAll(async () => {
    pictures = await examplePixels(16);
    const files = { "model.onnx": exampleBytes, "pictures.f32": new Uint8Array(pictures.buffer) };
    inPage = await runInBrowser({ entry: new URL("./quantize.page.ts", import.meta.url), files });
  }, BROWSER_TIMEOUT_MS);

  async function inNode(device: "wasm" | "cpu"): Promise<QuantizedExample> {
    const runtime = await nodeRuntime({ device, threads: 1 });
    const calibration = calibrationFrom(pictures);
    return summaryOf(
      await quantize(exampleBytes, { runtime, weights: 4, activations: 8, calibration }),
      runtime,
      calibration,
    );
  }

  it("gives the bytes that the same engine gives in Node", async () => {
    expect(inPage).toEqual(await inNode("wasm"));
  });

  it("gives the sizes and the decisions of the native engine, whose sums round otherwise", async () => {
    const native = await inNode("cpu");
    expect(inPage.sizeBytes).toBe(native.sizeBytes);
    expect(inPage.meanWeightBits).toBe(native.meanWeightBits);
    expect(topClasses(inPage.scores, 8)).toEqual(topClasses(native.scores, 8));
  });
});

/** The example's first training pictures as the network takes them, one after another. */
async function examplePixels(count: number): Promise<Float32Array> {
  const pixels: number[] = [];
  for await (const { input } of (await exampleCalibration(count)).batches())
    pixels.push(...(input!.data as Float32Array));
  return Float32Array.from(pixels);
}
