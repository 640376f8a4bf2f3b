/** The part of webgpu.test.ts that needs a process in which WebGPU works. */

import { quantize } from "../../src/quantize/index.ts";
import { layerModels } from "../../src/quantize/lowering/layer-models.cases.ts";
import {
  batchesOf,
  quantizeAs,
  relativeDifference,
  run as runProgram,
} from "../../src/quantize/lowering/lower-model.cases.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { classesOf, exampleBytes, exampleCalibration, examplePictures } from "./example.ts";
import { topClasses } from "./top-classes.ts";

/** What became of one model. */
export interface LayerResult {
  readonly name: string;
  readonly weights: number;
  /** Largest difference from the processor's result, relative to its largest magnitude. */
  readonly difference: number;
  readonly sameClasses: boolean;
}

/** Results on WebGPU beside those of the processor. */
export interface WebGpuResults {
  readonly layers: readonly LayerResult[];
  /** Classes of the embedded example's first pictures. */
  readonly example: { readonly processor: readonly number[]; readonly webgpu: readonly number[] };
}

/**
 * Forms of weights that the embedded example does not have; compiling the shaders of one model takes a second in software.
 * (Convolutions of more than 3 inputs that are no multiple of 4 are wrong on WebGPU in float, too:
 * github.com/microsoft/onnxruntime/issues/29651.)
 */
const LAYERS: ReadonlySet<string> = new Set(["1-D conv", "3-D matmul with bias", "embedding of 32 features"]);

/** Runs small models quantized for WebGPU on the processor and on WebGPU. */
export async function run(): Promise<WebGpuResults> {
  const processor = await nodeRuntime({ threads: 1 });
  const webgpu = await nodeRuntime({ device: "webgpu" });
  const layers: LayerResult[] = [];
  for (const { name, build, rows } of layerModels.filter((model) => LAYERS.has(model.name))) {
    const program = build();
    const batches = batchesOf(program, rows);
    for (const weights of name.includes("matmul") ? [4, 8] : [4]) {
      const { program: quantized } = await quantizeAs(program, { target: "webgpu", weights, activations: 16 }, batches);
      const expected = await runProgram(quantized, batches[0]!);
      const actual = await runProgram(quantized, batches[0]!, { on: webgpu });
      const sameClasses = String(topClasses(expected, 4)) === String(topClasses(actual, 4));
      layers.push({ name, weights, difference: relativeDifference(expected, actual), sameClasses });
    }
  }
  const { batches, labels } = await examplePictures(20);
  const pictures = { batches: batches.slice(0, 1), labels };
  const calibration = await exampleCalibration();
  const { model } = await quantize(exampleBytes, { runtime: processor, target: "webgpu", weights: 4, calibration });
  const [onProcessor, onWebGpu] = [
    await classesOf(model, pictures, processor),
    await classesOf(model, pictures, webgpu),
  ];
  return { layers, example: { processor: onProcessor, webgpu: onWebGpu } };
}
