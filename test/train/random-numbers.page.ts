/** Random numbers of a step, in a page. */
import { type WebRuntimeOptions, webRuntime } from "../../src/runtime/web.ts";
import { compareRandomNumbers } from "./random-numbers.ts";

export async function run(options: WebRuntimeOptions): Promise<{ wrong: number; count: number }> {
  return compareRandomNumbers(await webRuntime(options));
}
