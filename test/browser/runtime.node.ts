/** The runtimes' cases, in Node. */
import { type NodeRuntimeOptions, nodeRuntime } from "../../src/runtime/node.ts";
import { type CaseResult, runRuntimeCases } from "../../src/runtime/runtime.cases.ts";

export async function run(options: NodeRuntimeOptions): Promise<CaseResult[]> {
  return runRuntimeCases(await nodeRuntime(options));
}
