/** Random numbers of a step, in Node. */
import { type NodeRuntimeOptions, nodeRuntime } from "../../src/runtime/node.ts";
import { compareRandomNumbers } from "./random-numbers.ts";

export async function run(options: NodeRuntimeOptions): Promise<{ wrong: number; count: number }> {
  return compareRandomNumbers(await nodeRuntime(options));
}
