import { expect, it } from "vitest";
import { BROWSER_TIMEOUT_MS, runInBrowser } from "../support/browser.ts";
import { describeUnless, reasonWithoutBrowser, reasonWithoutNodeWebGpu } from "../support/engines.ts";
import { runInNodeWebGpu } from "../support/node-webgpu.ts";
import { run } from "./twenty-steps.node.ts";

type Outcome = Awaited<ReturnType<typeof run>>;

/**
 * Sums are taken in another order on each device: a few roundings of 6e-8 per step, which twenty steps of descent amplify. Ten
 * times what was seen on WASM (3e-6) and WebGPU.
 */
const TOLERANCE = 1e-4;

const cpu = await run({ device: "cpu", threads: 1 });

function expectAgreement(other: Outcome): void {
  other.losses.forEach((loss, step) => {
    expect(Math.abs(loss - cpu.losses[step]!), `loss of step ${step}`).toBeLessThan(TOLERANCE);
  });
  for (const [path, sum] of Object.entries(cpu.sums))
    expect(Math.abs(sum - other.sums[path]!), path).toBeLessThan(TOLERANCE * Math.max(1, Math.abs(sum)));
}

it("a convnet learns on the CPU in twenty steps", () => {
  expect(cpu.losses).toHaveLength(20);
  expect(cpu.losses.at(-1)).toBeLessThan(0.5 * cpu.losses[0]!);
});

it("takes the same twenty steps on WASM", async () => {
  expectAgreement(await run({ device: "wasm", threads: 1 }));
});

it("would not agree with another learning rate", () => {
  const other = { ...cpu, losses: cpu.losses.map((loss, step) => loss * (1 + 1e-4 * step)) };
  expect(() => expectAgreement(other)).toThrow(/loss of step/);
});

describeUnless(reasonWithoutNodeWebGpu(), "twenty steps on WebGPU in Node", () => {
  it("are those of the CPU", { timeout: BROWSER_TIMEOUT_MS }, async () => {
    expectAgreement(await runInNodeWebGpu(new URL("./twenty-steps.node.ts", import.meta.url), { device: "webgpu" }));
  });
});

describeUnless(reasonWithoutBrowser(), "twenty steps in a page", () => {
  it.each(["wasm", "webgpu"])("are those of the CPU on %s", { timeout: BROWSER_TIMEOUT_MS }, async (device) => {
    const entry = new URL("./twenty-steps.page.ts", import.meta.url);
    expectAgreement(await runInBrowser({ entry, args: { device }, webgpu: device === "webgpu" }));
  });
});
