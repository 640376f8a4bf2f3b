/**
 * Prints the table of docs/mixed-precision.md: one width for all layers, and widths chosen for as many bytes.
 *
 *   npx tsx experiments/quantization/mixed-precision.ts [--only resnet20] [--seed 0]
 */
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { feedSource } from "../../src/data/index.ts";
import { type EvaluatedModel, evaluateModels } from "../../src/evaluate/index.ts";
import { readModelFile } from "../../src/files/index.ts";
import { type ModelFile, modelSizeBytes } from "../../src/onnx/index.ts";
import { quantize } from "../../src/quantize/index.ts";
import { markdownTable } from "../../src/report/index.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { LADDER_TASKS } from "./ladder-tasks.ts";

const shared = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..", "shared");
const MODELS = ["resnet20", "squeezenet", "mobilenetv2"] as const;

const { values } = parseArgs({
  options: { only: { type: "string", multiple: true }, seed: { type: "string", default: "0" } },
});
const rows = [];
for (const name of values.only ?? MODELS) rows.push(...(await compare(name, Number(values.seed))));
console.log(
  markdownTable(
    [
      { header: "model", value: ({ model }) => model },
      { header: "widths", value: ({ widths }) => widths },
      { header: "bytes", value: ({ bytes }) => bytes },
      { header: "top-1 %", value: ({ top1 }) => top1.toFixed(2) },
      { header: "agrees %", value: ({ agreement }) => agreement?.toFixed(1) ?? "" },
      { header: "KL nats", value: ({ divergence }) => divergence?.toFixed(3) ?? "" },
      { header: "SQNR dB", value: ({ sqnr }) => sqnr?.toFixed(1) ?? "" },
      { header: "made in s", value: ({ seconds }) => seconds?.toFixed(0) ?? "" },
    ],
    rows,
  ),
);

/** Every policy at 4 and 3 bits, and behind each what is chosen for its bytes. */
async function compare(name: string, seed: number) {
  const task = await LADDER_TASKS[name]!(shared, tmpdir(), seed);
  const loaded = await readModelFile(task.modelPath);
  const runtime = await nodeRuntime();
  const common = { runtime, seed, calibration: feedSource(task.calibration, loaded.inputs, 1) };
  const made: { widths: string; file: ModelFile; seconds: number | null }[] = [
    { widths: "float", file: loaded.file, seconds: null },
  ];
  for (const weights of [4, 3]) {
    for (const policy of ["uniform", "deploy"]) {
      const one = await quantize(loaded.program, { ...common, weights, policy });
      const sizeBytes = one.report.output.sizeBytes;
      const chosen = await quantize(loaded.program, { ...common, limits: { sizeBytes } });
      made.push({ widths: `${weights}, policy ${policy}`, file: one.model, seconds: one.report.seconds });
      made.push({ widths: "chosen, as many bytes", file: chosen.model, seconds: chosen.report.seconds });
    }
  }
  const models: EvaluatedModel[] = [];
  for (const { widths, file } of made) {
    const session = await runtime.createSession(file);
    const dataset = task.evaluation;
    models.push({ path: widths, sizeBytes: modelSizeBytes(file), session, inputs: loaded.inputs, dataset });
  }
  const run = await evaluateModels(models, { timing: false });
  for (const { session } of models) await session.release();
  return run.models.map((evaluation, i) => ({
    model: i === 0 ? task.title : "",
    widths: made[i]!.widths,
    bytes: evaluation.sizeBytes,
    top1: evaluation.top1!,
    agreement: evaluation.agreement,
    divergence: evaluation.outputDivergence,
    sqnr: evaluation.outputSqnrDb,
    seconds: made[i]!.seconds,
  }));
}
