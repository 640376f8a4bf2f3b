/** Gradients in float32 on every device against float64 on the processor. */
import { beforeAll, describe, expect, it } from "vitest";
import type { Runtime } from "../src/runtime/index.ts";
import { nodeRuntime } from "../src/runtime/node.ts";
import type { AgreementResults } from "./gradients/agreement.node.ts";
import { gradientCases } from "./gradients/cases.ts";
import { checkAgreement, oneCasePerOperator, referenceOf } from "./gradients/check-agreement.ts";
import type { GradientCase } from "./gradients/gradient-case.ts";
import { describeUnless, reasonWithoutNodeWebGpu } from "./support/engines.ts";
import { runInNodeWebGpu } from "./support/node-webgpu.ts";

let cpu: Runtime;
beforeAll(async () => {
  cpu = await nodeRuntime({ threads: 1 });
}, 60_000);

async function problemsOf(cases: readonly GradientCase[], runtime: Runtime): Promise<string[]> {
  const problems: string[] = [];
  for (const subject of cases)
    problems.push(...(await checkAgreement(subject, await referenceOf(subject, cpu), runtime)));
  return problems;
}

describe("gradients in float32", () => {
  it("of every case agree with float64 on the processor", { timeout: 180_000 }, async () => {
    expect(await problemsOf(Object.values(gradientCases).flat(), cpu)).toEqual([]);
  });

  it("of every operator agree in WebAssembly", { timeout: 180_000 }, async () => {
    const wasm = await nodeRuntime({ device: "wasm", threads: 1 });
    expect(await problemsOf(oneCasePerOperator("wasm"), wasm)).toEqual([]);
  });

  it("that are wrong are told", async () => {
    const subject = gradientCases.elementwise![0]!;
    const [right] = await referenceOf(subject, cpu);
    expect(await checkAgreement(subject, [right!.map((value) => value * 1.0001)], cpu)).toHaveLength(1);
    expect(await checkAgreement(subject, [undefined], cpu)).toHaveLength(1);
  });
});

describeUnless(reasonWithoutNodeWebGpu(), "gradients in float32 on WebGPU", () => {
  it("of every operator agree", { timeout: 300_000 }, async () => {
    const entry = new URL("./gradients/agreement.node.ts", import.meta.url);
    const { cases, problems } = await runInNodeWebGpu<AgreementResults>(entry);
    expect(problems).toEqual([]);
    expect(cases).toBeGreaterThan(80);
  });
});
