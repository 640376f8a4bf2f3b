/** Twenty steps of a convnet, in a page. */
import { type WebRuntimeOptions, webRuntime } from "../../src/runtime/web.ts";
import { twentySteps } from "./twenty-steps.ts";

export async function run(options: WebRuntimeOptions): ReturnType<typeof twentySteps> {
  return twentySteps(await webRuntime(options));
}
