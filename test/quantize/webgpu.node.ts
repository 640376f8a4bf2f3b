/** The part of webgpu.test.ts that needs a process in which WebGPU works. */
import { layerModels } from "../../src/quantize/lowering/layer-models.cases.ts";
import {
  batchesOf,
  quantizeAs,
  relativeDifference,
  run as runProgram,
} from "../../src/quantize/lowering/lower-model.cases.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { topClasses } from "./top-classes.ts";

/** What became of one model. */
export interface WebGpuResult {
  readonly name: string;
  readonly weights: number;
  /** Largest difference from the processor's result, relative to its largest magnitude. */
  readonly difference: number;
  readonly sameClasses: boolean;
}

/**
 * One model of each form of weights: compiling the shaders of one takes a second in software. (Convolutions of more than 3
 * inputs that are no multiple of 4 are wrong on WebGPU in float, too: github.com/microsoft/onnxruntime/issues/29651.)
 */
const MODELS: ReadonlySet<string> = new Set([
  "conv with bias", "depthwise conv", "1-D conv", "gemm with transB 1", "3-D matmul with bias", "embedding of 32 features",
]); // biome-ignore format: a table

/** Runs layer models, quantized for WebGPU, on the processor and on WebGPU. */
export async function run(): Promise<WebGpuResult[]> {
  const webgpu = await nodeRuntime({ device: "webgpu" });
  const results: WebGpuResult[] = [];
  for (const { name, build, rows } of layerModels.filter((model) => MODELS.has(model.name))) {
    const program = build();
    const batches = batchesOf(program, rows);
    for (const weights of name.includes("matmul") ? [4, 8] : [4]) {
      const { program: quantized } = await quantizeAs(program, { target: "webgpu", weights, activations: 16 }, batches);
      const expected = await runProgram(quantized, batches[0]!);
      const actual = await runProgram(quantized, batches[0]!, { on: webgpu });
      const sameClasses = String(topClasses(expected, 4)) === String(topClasses(actual, 4));
      results.push({ name, weights, difference: relativeDifference(expected, actual), sameClasses });
    }
  }
  return results;
}
