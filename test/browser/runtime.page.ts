/** The runtimes' cases, in a page. */
import { type CaseResult, runRuntimeCases } from "../../src/runtime/runtime.cases.ts";
import { type WebRuntimeOptions, webRuntime } from "../../src/runtime/web.ts";

export async function run(options: WebRuntimeOptions): Promise<CaseResult[]> {
  return runRuntimeCases(await webRuntime(options));
}
