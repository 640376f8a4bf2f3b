/** The part of example.test.ts that needs a process in which WebGPU works. */
import { quantize } from "../../src/quantize/index.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { classesOf, exampleBytes, exampleCalibration, examplePictures } from "./example.ts";

/** Returns the classes of twenty pictures by the example quantized for WebGPU, on the processor and on WebGPU. */
export async function run(): Promise<{ processor: number[]; webgpu: number[] }> {
  const runtime = await nodeRuntime();
  const { batches, labels } = await examplePictures(20);
  const pictures = { batches: batches.slice(0, 1), labels };
  const calibration = await exampleCalibration();
  const { model } = await quantize(exampleBytes, { runtime, target: "webgpu", weights: 4, calibration });
  const webgpu = await nodeRuntime({ device: "webgpu" });
  return {
    processor: await classesOf(model, pictures, runtime),
    webgpu: await classesOf(model, pictures, webgpu),
  };
}
