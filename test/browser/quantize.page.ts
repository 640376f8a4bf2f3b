/** Quantizing in a page, bytes in, bytes out. */
import { quantize } from "../../src/index.ts";
import { webRuntime } from "../../src/runtime/web.ts";
import { calibrationFrom, type QuantizedExample, summaryOf } from "./quantize-example.ts";

export async function run(): Promise<QuantizedExample> {
  const [model, pictures] = await Promise.all(["model.onnx", "pictures.f32"].map(fetchBytes));
  const runtime = await webRuntime({ device: "wasm", threads: 1 });
  const calibration = calibrationFrom(new Float32Array(pictures!.buffer));
  return summaryOf(await quantize(model!, { runtime, weights: 4, activations: 8, calibration }), runtime, calibration);
}

async function fetchBytes(name: string): Promise<Uint8Array> {
  return new Uint8Array(await (await fetch(`/files/${name}`)).arrayBuffer());
}
