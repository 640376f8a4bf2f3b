/** Steps in 8 bits, in Node. */
import { type NodeRuntimeOptions, nodeRuntime } from "../../src/runtime/node.ts";
import { eightBitSteps, variants } from "./eight-bit-steps.ts";

/** Where steps are taken, and of which variants. */
export interface StepsOptions extends NodeRuntimeOptions {
  /** Default: all. */
  readonly only?: readonly (keyof typeof variants)[];
}

/** Losses by variant. */
export async function run({ only, ...options }: StepsOptions): Promise<Record<string, number[]>> {
  const runtime = await nodeRuntime(options);
  const found: Record<string, number[]> = {};
  for (const name of only ?? (Object.keys(variants) as (keyof typeof variants)[]))
    found[name] = await eightBitSteps(runtime, variants[name]);
  return found;
}
