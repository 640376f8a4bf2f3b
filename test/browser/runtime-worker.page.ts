/** The runtimes' cases, in a page whose engine runs in a worker: the page's own bundle, started again as one. */
import { type CaseResult, runRuntimeCases } from "../../src/runtime/runtime.cases.ts";
import {
  connectRuntime,
  serveRuntime,
  type WebRuntimeOptions,
  webRuntime,
  workerChannel,
} from "../../src/runtime/web.ts";

if (globalThis.document === undefined) {
  const options = JSON.parse(new URL(import.meta.url).searchParams.get("options")!) as WebRuntimeOptions;
  serveRuntime(workerChannel(globalThis), webRuntime(options));
}

export async function run(options: WebRuntimeOptions): Promise<CaseResult[]> {
  const url = new URL(import.meta.url);
  url.searchParams.set("options", JSON.stringify(options));
  const worker = new Worker(url, { type: "module" });
  const results = await runRuntimeCases(await connectRuntime(workerChannel(worker)));
  worker.terminate();
  return results;
}
