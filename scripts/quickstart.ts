/**
 * `npm run quickstart`: quantizes the embedded example in several ways, prints what became of it, and writes the models and
 * a report to output/quickstart.
 */
import { mkdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { feedSource, limitSamples } from "../src/data/index.ts";
import { type EvaluatedModel, evaluateModels } from "../src/evaluate/index.ts";
import { openDataset, readModelFile, writeFileAtomically, writeModelFile } from "../src/files/index.ts";
import { type ModelFile, modelSizeBytes } from "../src/onnx/index.ts";
import { type QuantizeOptions, type QuantizeResult, quantize } from "../src/quantize/index.ts";
import {
  ABLATION_COLUMNS,
  type AblationRow,
  formatFixed,
  quantizationReportHtml,
  textTable,
} from "../src/report/index.ts";
import { nodeRuntime } from "../src/runtime/node.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const EXAMPLE = join(ROOT, "examples", "fashion-mnist");
const OUTPUT = join(ROOT, "output", "quickstart");

/** Min-max ranges per tensor and nothing else: what quantization was before. */
const PLAIN = {
  range: "min-max",
  granularity: "tensor",
  weightAllocation: "none",
  activationAllocation: "none",
  correction: "none",
  weightRange: "min-max",
} as const satisfies Partial<QuantizeOptions>;

interface Recipe {
  readonly name: string;
  readonly options: Partial<QuantizeOptions>;
}

function simulated(name: string, bits: number, options: Partial<QuantizeOptions>): Recipe {
  return { name: `${name} (simulated)`, options: { weights: bits, activations: bits, simulate: true, ...options } };
}

const RECIPES: readonly Recipe[] = [
  { name: "W8A8", options: { weights: 8, activations: 8 } },
  { name: "W4A8", options: { weights: 4, activations: 8 } },
  // So few bits in activations have no kernels: these are simulated in float, to show what the method is worth.
  ...[4, 3].flatMap((bits) => [
    simulated(`W${bits}A${bits} min-max`, bits, PLAIN),
    simulated(`W${bits}A${bits} ACIQ`, bits, { range: "aciq-mix" }),
  ]),
];

/** `W4A4 ACIQ (simulated)` becomes `model-w4a4-aciq-simulated.onnx`. */
function fileName({ name }: Recipe): string {
  return `model-${name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/-$/, "")}.onnx`;
}

const started = performance.now();
const modelPath = join(EXAMPLE, "model.onnx");
const { program, inputs, file } = await readModelFile(modelPath);
const runtime = await nodeRuntime();
const test = await openDataset(EXAMPLE, { inputs, modelPath, split: "test" });
const train = await openDataset(EXAMPLE, { inputs, modelPath, split: "train" });
const calibration = feedSource(limitSamples(train, 64), inputs);

const results: QuantizeResult[] = [];
for (const { options } of RECIPES) results.push(await quantize(program, { runtime, calibration, ...options }));

const subject = async (path: string, model: ModelFile): Promise<EvaluatedModel> => ({
  path,
  sizeBytes: modelSizeBytes(model),
  session: await runtime.createSession(model),
  inputs,
  dataset: test,
});
const subjects = [await subject("model.onnx", file)];
for (const [i, { model }] of results.entries()) subjects.push(await subject(fileName(RECIPES[i]!), model));
const { models } = await evaluateModels(subjects, { batchSize: 50, timing: { seconds: 0.3 } });
for (const { session } of subjects) await session.release();

const rows = models.map((evaluation, i): AblationRow => {
  const { deployable = true, settings } = results[i - 1]?.report ?? {};
  const { path, sizeBytes, count: _, latencyMs, ...accuracy } = evaluation;
  return {
    label: RECIPES[i - 1]?.name ?? path,
    deployable,
    weightBits: Number(settings?.weights ?? 32),
    activationBits: Number(settings?.activations ?? 32),
    sizeBytes: deployable ? sizeBytes : null,
    ...accuracy,
    latencyMs: deployable ? latencyMs.median : null,
  };
});
console.log(textTable(ABLATION_COLUMNS, rows));

await mkdir(OUTPUT, { recursive: true });
for (const [i, { model }] of results.entries())
  await writeModelFile(join(OUTPUT, fileName(RECIPES[i]!)), model, { inputs: [modelPath] });
const shown = RECIPES.findIndex(({ name }) => name === "W4A8");
const report = {
  ...results[shown]!.report,
  input: { ...results[shown]!.report.input, path: "model.onnx" },
  output: { ...results[shown]!.report.output, path: fileName(RECIPES[shown]!) },
};
const reportPath = join(OUTPUT, "report.html");
const html = await quantizationReportHtml(report, [models[0]!, models[shown + 1]!], { ablation: rows });
await writeFileAtomically(reportPath, html);

const shownPath = (path: string): string => relative(process.cwd(), path) || ".";
console.log(`
${test.count} Fashion-MNIST test pictures; calibrated on ${calibration.count} training pictures; ${runtime.description}.
The report of W4A8: ${shownPath(reportPath)}
The models:         ${shownPath(OUTPUT)}
${formatFixed((performance.now() - started) / 1000, 1)} s. Next: npx modicum quantize --help`);
