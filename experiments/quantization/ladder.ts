/**
 * Writes docs/results/ladder.md: what each refinement of `quantize --optimize` brings, on models trained elsewhere and here.
 *
 *   npm run results:ladder                                       all, several hours on two cores; goes on where it was stopped
 *   npm run results:ladder -- --only resnet20 --bits W4A8 --seeds 1   some of it
 *   npm run results:ladder -- --page                             the page alone, of what was measured so far
 *
 * What was measured is kept under --work (default: build/ladder), one file for each model, width and seed.
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Dataset, feedSource } from "../../src/data/index.ts";
import { evaluateModels } from "../../src/evaluate/index.ts";
import { readModelFile, writeFileAtomically } from "../../src/files/index.ts";
import { modelSizeBytes } from "../../src/onnx/index.ts";
import { quantize } from "../../src/quantize/index.ts";
import { defaultRefinements, refinements } from "../../src/refine/index.ts";
import type { Session } from "../../src/runtime/index.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import type { LadderMeasurement, MeasuredRung } from "./ladder-measurement.ts";
import { ladderPage } from "./ladder-page.ts";
import { LADDER_TASKS } from "./ladder-tasks.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const shared = join(root, "..", "shared");

/** Widths, in the order of the page. */
const WIDTHS = ["W4A8", "W4A4", "W3A8"] as const;

/** One picture at a time, as the command calibrates. */
const CALIBRATION_BATCH = 1;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: "string", multiple: true },
      bits: { type: "string", multiple: true },
      seeds: { type: "string", default: "3" },
      minutes: { type: "string", default: "15" },
      work: { type: "string", default: join(root, "build", "ladder") },
      page: { type: "boolean", default: false },
    },
  });
  await mkdir(values.work, { recursive: true });
  if (!values.page) {
    for (let seed = 0; seed < Number(values.seeds); seed++) {
      for (const bits of values.bits ?? WIDTHS) {
        for (const name of values.only ?? Object.keys(LADDER_TASKS)) {
          await measureOnce(name, bits, seed, { work: values.work, minutes: Number(values.minutes) });
        }
      }
    }
  }
  const names = (await readdir(values.work)).filter((name) => /-W\d+A\d+-\d+\.json$/.test(name)).sort();
  const measured = await Promise.all(
    names.map(async (name) => JSON.parse(await readFile(join(values.work, name), "utf8")) as LadderMeasurement),
  );
  await writeFileAtomically(join(root, "docs", "results", "ladder.md"), ladderPage(measured, await machine()));
}

async function machine(): Promise<string> {
  const runtime = await nodeRuntime();
  return `${runtime.description}, Node ${process.versions.node}, ${cpus().length} x ${cpus()[0]?.model ?? "unknown processor"}`;
}

function widthsOf(bits: string): readonly [weights: number, activations: number] {
  const [, weights, activations] = /^W(\d+)A(\d+)$/.exec(bits) ?? [];
  if (weights === undefined) throw new Error(`ladder: --bits must be like W4A8, got "${bits}".`);
  return [Number(weights), Number(activations)];
}

async function measureOnce(
  name: string,
  bits: string,
  seed: number,
  { work, minutes }: { readonly work: string; readonly minutes: number },
): Promise<void> {
  const path = join(work, `${name}-${bits}-${seed}.json`);
  if (existsSync(path)) return;
  const make = LADDER_TASKS[name];
  if (!make) throw new Error(`ladder: --only must be some of ${Object.keys(LADDER_TASKS).join(", ")}, got "${name}".`);
  console.error(`${name} ${bits} seed ${seed} ...`);
  const task = await make(shared, work, seed);
  const [weights, activations] = widthsOf(bits);
  const loaded = await readModelFile(task.modelPath);
  const runtime = await nodeRuntime();
  const started = performance.now();
  const { rungs } = await quantize(loaded.program, {
    runtime,
    weights,
    activations,
    simulate: activations < 8,
    seed,
    calibration: feedSource(task.calibration, loaded.inputs, CALIBRATION_BATCH),
    refinements: defaultRefinements.map((refinement) => refinements[refinement]!()),
    budgetSeconds: 60 * minutes,
  });
  const seconds = (performance.now() - started) / 1000;
  const simulated = activations < 8;
  const files = [loaded.file, ...rungs.map((rung) => rung.model())];
  const sessions: Session[] = [];
  try {
    for (const file of files) sessions.push(await runtime.createSession(file, { keepQuantization: simulated }));
    const dataset: Dataset = task.evaluation;
    const models = files.map((file, i) => {
      return {
        path: String(i),
        sizeBytes: modelSizeBytes(file),
        session: sessions[i]!,
        inputs: loaded.inputs,
        dataset,
      };
    });
    const run = await evaluateModels(models, { batchSize: 16, ...(simulated && { timing: false }) });
    const right = run.predictions.map((predictions) =>
      Array.from(predictions!, (prediction, i) => (prediction === dataset.labels![i] ? "1" : "0")).join(""),
    );
    const row = (i: number, rung: Omit<MeasuredRung, "evaluation" | "right">): MeasuredRung => {
      return { ...rung, evaluation: run.models[i]!, right: right[i]! };
    };
    const measurement: LadderMeasurement = {
      task: name,
      title: task.title,
      note: task.note,
      bits,
      seed,
      seconds,
      load: loadavg()[0]!,
      float: row(0, { name: "float", seconds: 0, kept: true, outputSqnrDb: null, notes: [] }),
      rungs: rungs.map(({ model: _, evaluation: __, ...rung }, i) => row(i + 1, rung)),
    };
    await writeFileAtomically(path, JSON.stringify(measurement, null, 1));
  } finally {
    for (const session of sessions) await session.release();
  }
}

await main();
