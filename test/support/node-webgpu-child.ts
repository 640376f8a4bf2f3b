/** The process that node-webgpu.ts starts: `node --import tsx node-webgpu-child.ts <module> <arguments as JSON>`. */
import type { Answer } from "./node-webgpu.ts";

const [entry, args] = process.argv.slice(2) as [string, string];

async function answer(): Promise<Answer> {
  try {
    const module = (await import(entry)) as { run(args: unknown): Promise<unknown> };
    return { result: await module.run(JSON.parse(args)) };
  } catch (error) {
    return { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

process.send?.(await answer());
process.disconnect();
