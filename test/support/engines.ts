/** What this machine has to run models on, and why a suite is skipped where something is missing. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { describe } from "vitest";

/** Debian's Chromium; `.ci/run` installs it. */
export const CHROMIUM = "/usr/bin/chromium";

/** Folder of Chromium's own Vulkan loader and software renderer. */
export const CHROMIUM_LIBRARIES = "/usr/lib/chromium";

/** The renderer's description for the Vulkan loader: WebGPU without a GPU. */
export const SWIFTSHADER = `${CHROMIUM_LIBRARIES}/vk_swiftshader_icd.json`;

/** Returns why nothing can run in a browser here, or undefined. */
export function reasonWithoutBrowser(): string | undefined {
  return existsSync(CHROMIUM) ? undefined : `${CHROMIUM} is missing (apt-get install chromium)`;
}

/** Returns why onnxruntime-node, an optional dependency, cannot be used, or undefined. */
export function reasonWithoutOnnxRuntimeNode(): string | undefined {
  try {
    createRequire(import.meta.url).resolve("onnxruntime-node");
    return undefined;
  } catch {
    return "onnxruntime-node is not installed";
  }
}

/** Returns why Node cannot run WebGPU in software here, or undefined. */
export function reasonWithoutNodeWebGpu(): string | undefined {
  if (process.platform !== "linux") return "the software renderer is looked for on Linux only";
  if (!existsSync(SWIFTSHADER)) return `${SWIFTSHADER} is missing (apt-get install chromium)`;
  return reasonWithoutOnnxRuntimeNode();
}

/** A suite that is skipped, with the reason printed, when there is one. */
export function describeUnless(reason: string | undefined, name: string, body: () => void): void {
  if (reason !== undefined) console.log(`skipped: ${name}: ${reason}`);
  describe.skipIf(reason !== undefined)(name, body);
}
