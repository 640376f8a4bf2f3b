/**
 * What does quantizing cost, next to running the model? Prints time and peak memory of `quantize` with 64 calibration
 * samples as multiples of plain float32 inference on the same samples, and of the model's bytes.
 *
 *   npx tsx bench/quantization-cost.ts [path/to/model.onnx ...]
 *
 * Without arguments: a ResNet-50-shaped network with random weights. Each model in a process of its own, so that peak memory
 * is its own.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { readModelFile } from "../src/files/index.ts";
import { modelSizeBytes, writeModel } from "../src/onnx/index.ts";
import type { Program } from "../src/program/index.ts";
import { type CalibrationData, quantize } from "../src/quantize/index.ts";
import { nodeRuntime } from "../src/runtime/node.ts";
import { elementCount, float32, seededRandom } from "../src/tensor/index.ts";
import { resnet50Shaped } from "./resnet-50-shaped.ts";

const SAMPLES = 64;
const BATCH = 1;

/** Noise of the model's input shape, made anew for each batch so that memory is the model's, not the data's. */
function noise(program: Program): CalibrationData {
  const [input] = program.graph.inputs;
  const shape = input!.shape!.slice(1).map((length) => (typeof length === "number" ? length : 224));
  return {
    description: "noise",
    count: SAMPLES,
    async *batches() {
      const random = seededRandom(0);
      const values = Float32Array.from({ length: BATCH * elementCount(shape) }, () => random.uniform() * 4 - 2);
      for (let i = 0; i < SAMPLES; i += BATCH) yield { [input!.name]: float32([BATCH, ...shape], values) };
    },
  };
}

async function measure(path: string): Promise<void> {
  const program = path === "resnet-50-shaped" ? resnet50Shaped() : (await readModelFile(path)).program;
  const runtime = await nodeRuntime();
  const data = noise(program);
  const file = writeModel(program);
  const started = performance.now();
  const session = await runtime.createSession(file);
  for await (const feeds of data.batches()) await session.run(feeds);
  await session.release();
  const inference = (performance.now() - started) / 1000;
  const before = performance.now();
  await quantize(program, { runtime, weights: 4, activations: 8, calibration: data });
  const quantization = (performance.now() - before) / 1000;
  const peak = process.resourceUsage().maxRSS * 1024;
  const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
  const modelBytes = modelSizeBytes(file);
  console.log(
    `${path}: inference ${inference.toFixed(2)} s, quantize ${quantization.toFixed(2)} s = ${(quantization / inference).toFixed(2)} x; ` +
      `model ${megabytes(modelBytes)} MiB, peak ${megabytes(peak)} MiB (limit 4 x model + 1 GB: ${megabytes(4 * modelBytes + 1e9)} MiB)`,
  );
}

const [first, ...rest] = process.argv.slice(2);
if (first === "--one") await measure(rest[0]!);
else {
  for (const path of first === undefined ? ["resnet-50-shaped"] : [first, ...rest]) {
    execFileSync(process.execPath, ["--import", "tsx", fileURLToPath(import.meta.url), "--one", path], {
      stdio: "inherit",
    });
  }
}
