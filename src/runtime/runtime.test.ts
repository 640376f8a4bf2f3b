import { expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import { SMALL_WEIGHTS_SUM } from "./case-models.cases.ts";
import { nodeRuntime } from "./node.ts";
import { resultOfRewrittenWeights, runtimeCases } from "./runtime.cases.ts";
import type { Runtime } from "./session.ts";
import { webRuntime } from "./web.ts";

interface Lane {
  readonly name: string;
  readonly reason?: string | undefined;
  make(): Promise<Runtime>;
}

const lanes: readonly Lane[] = [
  { name: "Node, cpu", reason: reasonWithoutOnnxRuntimeNode(), make: () => nodeRuntime({ threads: 1 }) },
  {
    name: "Node, cpu in a worker",
    reason: reasonWithoutOnnxRuntimeNode(),
    make: () => nodeRuntime({ threads: 1, worker: true }),
  },
  { name: "Node, wasm", make: () => nodeRuntime({ device: "wasm", threads: 2 }) },
  { name: "Node, wasm by the browser's build", make: () => webRuntime() },
];

for (const { name, reason, make } of lanes) {
  describeUnless(reason, name, () => {
    it.each(runtimeCases)("$title", async ({ run }) => {
      await run(await make());
    });

    it("has something to keep: without keepQuantization ONNX Runtime makes the weights 8-bit", async () => {
      // 0.003 rounds to 0 or to the first code, 1/255 or more: far from 0.003 times 99 either way.
      expect(Math.abs((await resultOfRewrittenWeights(await make())) - SMALL_WEIGHTS_SUM)).toBeGreaterThan(0.05);
    });
  });
}
