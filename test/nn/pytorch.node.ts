/** What runs in a Node of its own: layers and losses on WebGPU. */
import { nodeRuntime } from "../../src/runtime/node.ts";
import { allDifferences } from "./compare-with-pytorch.ts";

/** Returns what differs from PyTorch. */
export async function run(): Promise<string[]> {
  return allDifferences(await nodeRuntime({ device: "webgpu" }));
}
