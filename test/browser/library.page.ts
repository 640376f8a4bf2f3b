/** The library as a page uses it. */
import { type WebRuntimeOptions, webRuntime } from "../../src/runtime/web.ts";
import { type LibraryResult, runLibrary } from "./run-library.ts";

export async function run(options: WebRuntimeOptions): Promise<LibraryResult> {
  const response = await fetch("/files/model.onnx");
  return runLibrary(new Uint8Array(await response.arrayBuffer()), await webRuntime(options));
}
