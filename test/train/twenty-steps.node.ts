/** Twenty steps of a convnet, in Node. */
import { type NodeRuntimeOptions, nodeRuntime } from "../../src/runtime/node.ts";
import { twentySteps } from "./twenty-steps.ts";

export async function run(options: NodeRuntimeOptions): ReturnType<typeof twentySteps> {
  return twentySteps(await nodeRuntime(options));
}
