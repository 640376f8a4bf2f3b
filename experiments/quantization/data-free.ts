/**
 * Prints what pictures synthesized from a model are worth to its quantization: a table beside made-up noise and real pictures.
 *
 *   npx tsx experiments/quantization/data-free.ts <model.onnx> <cifar folder> [--seeds 3] [--limit 2000] [--mean 0.5,0.5,0.5 --std ...]
 *
 * The model classifies CIFAR-10 pictures and has its batch normalizations; --mean and --std are those it was trained with (default
 * ImageNet's). Real pictures are of the training part, those measured of the test part.
 */
import { parseArgs } from "node:util";
import { feedSource, IMAGENET_MEAN, IMAGENET_STD, limitSamples } from "../../src/data/index.ts";
import { evaluateModels, type ModelEvaluation } from "../../src/evaluate/index.ts";
import { openDataset, readModelFile } from "../../src/files/index.ts";
import { modelSizeBytes } from "../../src/onnx/index.ts";
import { type CalibrationData, type QuantizeOptions, quantize } from "../../src/quantize/index.ts";
import { synthesizePictures } from "../../src/refine/index.ts";
import { markdownTable } from "../../src/report/index.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";

const PICTURES = 256;

const SETTINGS: Readonly<Record<string, Partial<QuantizeOptions>>> = {
  W8A8: { weights: 8, activations: 8 },
  W4A8: { weights: 4, activations: 8 },
  "W4A4 simulated": { weights: 4, activations: 4, simulate: true, granularity: "tensor" },
};

/** Means over seeds, and the deviation of top-1 between them. */
interface Row {
  readonly bits: string;
  readonly source: string;
  readonly evaluations: readonly ModelEvaluation[];
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seeds: { type: "string", default: "3" },
      limit: { type: "string", default: "2000" },
      mean: { type: "string", default: IMAGENET_MEAN.join() },
      std: { type: "string", default: IMAGENET_STD.join() },
    },
  });
  const [path, folder] = positionals;
  if (path === undefined || folder === undefined)
    throw new Error("data-free: a model and a CIFAR folder must be given.");
  const [mean, std] = [values.mean, values.std].map((text) => text.split(",").map(Number));
  const runtime = await nodeRuntime();
  const loaded = await readModelFile(path);
  const preprocessing = { resize: null, crop: null, scale: 1 / 255, mean, std };
  const options = { inputs: loaded.inputs, modelPath: path, preprocessing };
  const train = await openDataset(folder, { ...options, split: "train" });
  const test = limitSamples(await openDataset(folder, { ...options, split: "test" }), Number(values.limit), 0);
  const float = { path: "float32", file: loaded.file, keepQuantization: false };
  const rows = new Map<string, ModelEvaluation[]>();
  let top1 = "";
  for (let seed = 0; seed < Number(values.seeds); seed++) {
    const started = performance.now();
    const synthesized = await synthesizePictures(loaded.program, { runtime, count: PICTURES, seed });
    const { before, after } = synthesized.mismatch;
    const seconds = (performance.now() - started) / 1000;
    console.error(
      `seed ${seed}: ${seconds.toFixed(0)} s, ${before.toFixed(4)} to ${after.toFixed(4)} nats per channel`,
    );
    const sources: Readonly<Record<string, CalibrationData | undefined>> = {
      "nothing (noise, batch norms)": undefined,
      "synthesized pictures": synthesized,
      "real pictures": feedSource(limitSamples(train, PICTURES, seed), loaded.inputs, 1),
    };
    const subjects = [float];
    for (const [bits, setting] of Object.entries(SETTINGS)) {
      for (const [source, calibration] of Object.entries(sources)) {
        const { model } = await quantize(loaded.program, {
          runtime,
          seed,
          ...setting,
          ...(calibration && { calibration }),
        });
        subjects.push({ path: `${bits}|${source}`, file: model, keepQuantization: setting.simulate ?? false });
      }
    }
    const models = await Promise.all(
      subjects.map(async ({ path: name, file, keepQuantization }) => ({
        path: name,
        sizeBytes: modelSizeBytes(file),
        session: await runtime.createSession(file, { keepQuantization }),
        inputs: loaded.inputs,
        dataset: test,
      })),
    );
    const [reference, ...others] = (await evaluateModels(models, { timing: false })).models;
    for (const { session } of models) await session.release();
    top1 = reference!.top1!.toFixed(2);
    for (const found of others) rows.set(found.path, [...(rows.get(found.path) ?? []), found]);
  }
  console.log(
    `float32: ${top1} % of ${test.count} test pictures. ${PICTURES} pictures to calibrate on, ${values.seeds} seeds.\n`,
  );
  console.log(
    table(
      [...rows].map(([name, evaluations]) => {
        const [bits, source] = name.split("|");
        return { bits: bits!, source: source!, evaluations };
      }),
    ),
  );
}

function table(rows: readonly Row[]): string {
  const values = ({ evaluations }: Row, of: (evaluation: ModelEvaluation) => number | null): number[] =>
    evaluations.map((evaluation) => of(evaluation)!);
  const average = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0) / numbers.length;
  const range = (numbers: readonly number[], digits: number): string =>
    `${average(numbers).toFixed(digits)} (${Math.min(...numbers).toFixed(digits)} to ${Math.max(...numbers).toFixed(digits)})`;
  return markdownTable<Row>(
    [
      { header: "bits", value: ({ bits }) => bits },
      { header: "calibrated on", value: ({ source }) => source },
      {
        header: "output SQNR dB",
        value: (row) =>
          range(
            values(row, ({ outputSqnrDb }) => outputSqnrDb),
            1,
          ),
      },
      {
        header: "agrees with float32 %",
        value: (row) =>
          range(
            values(row, ({ agreement }) => agreement),
            1,
          ),
      },
      {
        header: "top-1 %",
        value: (row) =>
          range(
            values(row, ({ top1 }) => top1),
            2,
          ),
      },
    ],
    rows,
  );
}

await main();
