/** Running modules in Node with WebGPU on Chromium's software renderer, whose libraries must be known before Node starts. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { CHROMIUM_LIBRARIES, SWIFTSHADER } from "./engines.ts";

const CHILD = fileURLToPath(new URL("./node-webgpu-child.ts", import.meta.url));

/** What a child answers. */
export type Answer = { readonly result: unknown } | { readonly failure: string };

/**
 * Runs a module's `run(args)` in a Node process of its own in which `nodeRuntime({ device: "webgpu" })` works, and returns
 * what it resolves to (plain JSON). Slow (some 600 times slower than the processor's own kernels): for correctness only.
 *
 * @throws Error with the child's message when `run` throws.
 */
export function runInNodeWebGpu<Result>(entry: URL, args?: unknown): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = fork(CHILD, [entry.href, JSON.stringify(args ?? null)], {
      execArgv: ["--import", "tsx"],
      env: { ...process.env, LD_LIBRARY_PATH: CHROMIUM_LIBRARIES, VK_ICD_FILENAMES: SWIFTSHADER },
    });
    let answer: Answer | undefined;
    child.on("message", (message) => {
      answer = message as Answer;
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (answer === undefined) reject(new Error(`in the child: no answer, exit code ${code}, signal ${signal}`));
      else if ("failure" in answer) reject(new Error(`in the child: ${answer.failure}`));
      else resolve(answer.result as Result);
    });
  });
}
