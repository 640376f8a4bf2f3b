/**
 * How fast is a training step, next to others? `../README.md` describes cases, peers and output.
 *
 *   npm run bench
 *   npm run bench --silent -- --only mlp-2048 --json
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeCase } from "./case-file.ts";
import { describeMachine } from "./machine.ts";
import { type CaseResult, measureCase } from "./measure-case.ts";
import { type BenchOptions, parseOptions, USAGE } from "./options.ts";
import { nodeSide } from "./peers.ts";
import { type BenchResult, benchResult } from "./result.ts";
import { speedPage } from "./table.ts";

async function main(options: BenchOptions): Promise<void> {
  const results = options.from.length > 0 ? await readResults(options.from) : [await measure(options)];
  const page = speedPage(results);
  process.stdout.write(options.json ? `${JSON.stringify(results.length === 1 ? results[0] : results)}\n` : page);
  if (options.output !== undefined) {
    await writeFile(options.output, page);
    process.stderr.write(`wrote ${options.output}\n`);
  }
}

async function readResults(paths: readonly string[]): Promise<BenchResult[]> {
  return Promise.all(paths.map(async (path) => JSON.parse(await readFile(path, "utf8")) as BenchResult));
}

async function measure(options: BenchOptions): Promise<BenchResult> {
  const { version: modicum } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
  const machine = describeMachine();
  if (machine.loadBefore > machine.cores / 4) {
    process.stderr.write(`the machine is busy (load ${machine.loadBefore}): times will be too long, ratios unsteady\n`);
  }
  const scratch = await mkdtemp(join(tmpdir(), "modicum-bench-"));
  try {
    const cases: CaseResult[] = [];
    for (const one of options.cases) {
      const folder = join(scratch, one.name);
      await writeCase(one, options.seed, folder);
      const onProgress = (message: string) => process.stderr.write(`${one.name}: ${message}\n`);
      const sides = { ours: nodeSide("ours.ts"), gemm: nodeSide("gemm.ts") };
      cases.push(await measureCase({ ...options, ...sides, one, folder, onProgress }));
      await rm(folder, { recursive: true });
    }
    return benchResult(cases, options, { machine, modicum });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === "help") process.stdout.write(USAGE);
  else await main(options);
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
