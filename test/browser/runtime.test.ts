import { beforeAll, expect, it } from "vitest";
import { type CaseResult, runtimeCases } from "../../src/runtime/runtime.cases.ts";
import { BROWSER_TIMEOUT_MS, runInBrowser } from "../support/browser.ts";
import { describeUnless, reasonWithoutBrowser, reasonWithoutNodeWebGpu } from "../support/engines.ts";
import { runInNodeWebGpu } from "../support/node-webgpu.ts";

const PAGE = new URL("./runtime.page.ts", import.meta.url);
const NODE = new URL("./runtime.node.ts", import.meta.url);

interface Lane {
  readonly name: string;
  readonly reason: string | undefined;
  run(): Promise<CaseResult[]>;
}

const WORKER_PAGE = new URL("./runtime-worker.page.ts", import.meta.url);

const browser = reasonWithoutBrowser();
const lanes: readonly Lane[] = [
  { name: "Chromium, wasm, 1 thread", reason: browser, run: () => runInBrowser({ entry: PAGE, args: { threads: 1 } }) },
  {
    name: "Chromium, wasm, 2 threads",
    reason: browser,
    run: () => runInBrowser({ entry: PAGE, args: { threads: 2 } }),
  },
  {
    name: "Chromium, webgpu in software",
    reason: browser,
    run: () => runInBrowser({ entry: PAGE, args: { device: "webgpu" }, webgpu: true }),
  },
  {
    name: "Chromium, wasm in a worker",
    reason: browser,
    run: () => runInBrowser({ entry: WORKER_PAGE, args: { threads: 1 } }),
  },
  {
    name: "Node, webgpu in software",
    reason: reasonWithoutNodeWebGpu(),
    run: () => runInNodeWebGpu(NODE, { device: "webgpu" }),
  },
];

for (const { name, reason, run } of lanes) {
  describeUnless(reason, name, () => {
    let results: CaseResult[] = [];
    beforeAll(async () => {
      results = await run();
    }, BROWSER_TIMEOUT_MS);
    it.each(runtimeCases)("$title", ({ title }) => {
      expect(results.find((result) => result.title === title)?.failure).toBeNull();
    });
  });
}
