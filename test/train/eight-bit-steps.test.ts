import { expect, it } from "vitest";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { BROWSER_TIMEOUT_MS } from "../support/browser.ts";
import { describeUnless, reasonWithoutNodeWebGpu } from "../support/engines.ts";
import { runInNodeWebGpu } from "../support/node-webgpu.ts";
import { run } from "./eight-bit-steps.node.ts";
import { eightBitSteps, variants } from "./eight-bit-steps.ts";

/**
 * Noise is the same on every device, sums are taken in another order: now and then a number falls on the other side between two
 * codes. Ten times what was seen on WASM and WebGPU (5e-5).
 */
const TOLERANCE = 5e-4;

const cpu = await run({ device: "cpu", threads: 1 });

/** The largest difference of a loss from the CPU's, by variant. */
function differences(other: Readonly<Record<string, readonly number[]>>): [string, number][] {
  return Object.entries(other).map(([name, losses]) => [
    name,
    Math.max(...losses.map((loss, step) => Math.abs(loss - cpu[name]![step]!))),
  ]);
}

it("a convnet learns in 8 bits on the CPU", () => {
  for (const [name, losses] of Object.entries(cpu)) expect(losses.at(-1), name).toBeLessThan(0.8 * losses[0]!);
});

it("takes the same steps on WASM", async () => {
  const found = differences(await run({ device: "wasm", threads: 1 }));
  expect(found).toHaveLength(4);
  for (const [name, difference] of found) expect(difference, name).toBeLessThan(TOLERANCE);
});

it("takes other steps in float32", async () => {
  const losses = await eightBitSteps(await nodeRuntime({ threads: 1 }), undefined);
  for (const [name, difference] of differences(Object.fromEntries(Object.keys(variants).map((name) => [name, losses]))))
    expect(difference, name).toBeGreaterThan(2 * TOLERANCE);
});

describeUnless(reasonWithoutNodeWebGpu(), "steps in 8 bits on WebGPU in Node", () => {
  it("are those of the CPU", { timeout: BROWSER_TIMEOUT_MS }, async () => {
    const entry = new URL("./eight-bit-steps.node.ts", import.meta.url);
    const found = differences(await runInNodeWebGpu(entry, { device: "webgpu", only: ["8 bits", "published"] }));
    expect(found).toHaveLength(2);
    for (const [name, difference] of found) expect(difference, name).toBeLessThan(TOLERANCE);
  });
});
