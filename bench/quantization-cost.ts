/**
 * What does quantizing cost, next to running the model? Time and peak memory of `quantize` with 64 calibration samples, as
 * multiples of plain float32 inference on the same samples, and of the model's bytes.
 *
 *   npx tsx bench/quantization-cost.ts [--pictures folder] [--repetitions 5] [--json] [path/to/model.onnx ...]
 *
 * Both start from a model's file and the same samples, one at a time. Plain inference: read the file, make a session, run all
 * samples. Quantizing: read the file, quantize (W4A8, everything else by default), have the bytes of the result. With
 * `--pictures` the samples are decoded as they are needed, by both; without, they are noise that lies in memory, so that
 * nothing but the model is timed. Loading the libraries is not timed. Each measurement has a process of its own, the two in
 * turn, so that neither warms up the other and peak memory is its own. Told are medians, and the least and the most.
 *
 * Without a model: a ResNet-50-shaped network with random weights.
 */
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { feedSource, limitSamples } from "../src/data/index.ts";
import { openDataset, readModelFile } from "../src/files/index.ts";
import { writeModel } from "../src/onnx/index.ts";
import { type CalibrationData, quantize } from "../src/quantize/index.ts";
import { nodeRuntime } from "../src/runtime/node.ts";
import { elementCount, float32, seededRandom } from "../src/tensor/index.ts";
import { resnet50Shaped } from "./resnet-50-shaped.ts";

const SAMPLES = 64;

/** What one process measured. */
interface Measurement {
  readonly seconds: number;
  readonly peakBytes: number;
}

/** Work to time, given a model's path and samples for it. */
type Work = (path: string, samples: () => Promise<CalibrationData>) => Promise<unknown>;

const runtime = await nodeRuntime();

const WORKS: Readonly<Record<string, Work>> = {
  inference: async (path, samples) => {
    const session = await runtime.createSession({ bytes: await readFile(path), external: [] });
    for await (const feeds of (await samples()).batches()) await session.run(feeds);
    await session.release();
  },
  quantization: async (path, samples) => {
    const { program } = await readModelFile(path);
    return quantize(program, { runtime, weights: 4, activations: 8, calibration: await samples() });
  },
};

async function measure(name: string, path: string, pictures: string | undefined): Promise<Measurement> {
  const { inputs } = await readModelFile(path);
  const noise = pictures === undefined ? await noiseFor(path) : undefined;
  const samples = async (): Promise<CalibrationData> =>
    noise ?? feedSource(limitSamples(await openDataset(pictures!, { inputs }), SAMPLES), inputs, 1);
  const started = performance.now();
  await WORKS[name]!(path, samples);
  return {
    seconds: (performance.now() - started) / 1000,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
}

/** Noise of the model's input shape: one sample, over and over. */
async function noiseFor(path: string): Promise<CalibrationData> {
  const [input] = (await readModelFile(path)).program.graph.inputs;
  const shape = input!.shape!.slice(1).map((length) => (typeof length === "number" ? length : 224));
  const random = seededRandom(0);
  const values = Float32Array.from({ length: elementCount(shape) }, () => random.uniform() * 4 - 2);
  const feeds = { [input!.name]: float32([1, ...shape], values) };
  return {
    description: "noise",
    count: SAMPLES,
    async *batches() {
      for (let i = 0; i < SAMPLES; i++) yield feeds;
    },
  };
}

/** Median, least and most. */
type Spread = readonly [median: number, least: number, most: number];

function spreadOf(numbers: readonly number[]): Spread {
  const sorted = [...numbers].sort((a, b) => a - b);
  return [sorted[sorted.length >> 1]!, sorted[0]!, sorted.at(-1)!];
}

interface Cost {
  readonly model: string;
  readonly samples: string;
  readonly repetitions: number;
  readonly inferenceSeconds: Spread;
  readonly quantizationSeconds: Spread;
  /** Of each repetition's two. */
  readonly ratio: Spread;
  readonly modelBytes: number;
  readonly peakBytes: Spread;
}

async function costOf(path: string, pictures: string | undefined, repetitions: number): Promise<Cost> {
  const file = fileURLToPath(import.meta.url);
  const once = (name: string): Measurement => {
    const args = ["--import", "tsx", file, "--measure", name, ...(pictures ? ["--pictures", pictures] : []), path];
    return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
  };
  const pairs = Array.from({ length: repetitions }, () => [once("inference"), once("quantization")] as const);
  return {
    model: path,
    samples: pictures ? `${SAMPLES} pictures of ${pictures}` : `${SAMPLES} samples of noise`,
    repetitions,
    inferenceSeconds: spreadOf(pairs.map(([inference]) => inference.seconds)),
    quantizationSeconds: spreadOf(pairs.map(([, quantization]) => quantization.seconds)),
    ratio: spreadOf(pairs.map(([inference, quantization]) => quantization.seconds / inference.seconds)),
    modelBytes: (await readFile(path)).byteLength,
    peakBytes: spreadOf(pairs.map(([, quantization]) => quantization.peakBytes)),
  };
}

function print(name: string, cost: Cost): void {
  const text = ([median, least, most]: Spread, digits: number, unit: string): string =>
    `${median.toFixed(digits)} ${unit} (${least.toFixed(digits)} to ${most.toFixed(digits)})`;
  const mebibytes = (bytes: number): number => bytes / 2 ** 20;
  const [peak, least, most] = cost.peakBytes;
  console.log(`${name}, ${cost.samples}, ${cost.repetitions} repetitions:
  inference    ${text(cost.inferenceSeconds, 2, "s")}
  quantization ${text(cost.quantizationSeconds, 2, "s")}, ${text(cost.ratio, 2, "x inference")}; at most 4 x wanted
  peak memory  ${text([mebibytes(peak), mebibytes(least), mebibytes(most)], 0, "MiB")}; at most ${mebibytes(4 * cost.modelBytes + 1e9).toFixed(0)} MiB wanted (4 x the model + 1 GB)`);
}

const { values: options, positionals: models } = parseArgs({
  allowPositionals: true,
  options: {
    pictures: { type: "string" },
    repetitions: { type: "string", default: "5" },
    json: { type: "boolean", default: false },
    measure: { type: "string" },
  },
});

if (options.measure) console.log(JSON.stringify(await measure(options.measure, models[0]!, options.pictures)));
else {
  const folder = await mkdtemp(join(tmpdir(), "quantization-cost-"));
  try {
    for (const model of models.length > 0 ? models : ["resnet-50-shaped"]) {
      const path = model === "resnet-50-shaped" ? join(folder, "resnet-50-shaped.onnx") : model;
      if (path !== model) await writeFile(path, writeModel(resnet50Shaped()).bytes);
      const cost = await costOf(path, options.pictures, Number(options.repetitions));
      if (options.json) console.log(JSON.stringify({ ...cost, model }));
      else print(model, cost);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}
