/** What is compared of a quantization in a page and in Node. */
import { type CalibrationData, float32, type QuantizeResult, type Runtime } from "../../src/index.ts";

/** A quantized model as plain JSON. */
export interface QuantizedExample {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly meanWeightBits: number;
  readonly scores: readonly number[];
}

const PIXELS = 28 * 28;

/** Makes calibration data of prepared pictures, eight at a time. */
export function calibrationFrom(pictures: Float32Array): CalibrationData {
  const count = pictures.length / PIXELS;
  return {
    description: "pictures",
    count,
    async *batches() {
      for (let start = 0; start < count; start += 8) {
        yield { input: float32([8, 1, 28, 28], pictures.slice(start * PIXELS, (start + 8) * PIXELS)) };
      }
    },
  };
}

/** Returns a fingerprint of the model, and the scores it gives the first eight pictures. */
export async function summaryOf(
  { model, report }: QuantizeResult,
  runtime: Runtime,
  calibration: CalibrationData,
): Promise<QuantizedExample> {
  const digest = await crypto.subtle.digest("SHA-256", model.bytes as Uint8Array<ArrayBuffer>);
  const session = await runtime.createSession(model);
  try {
    for await (const feeds of calibration.batches()) {
      const { logits } = await session.run(feeds);
      return {
        sha256: Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join(""),
        sizeBytes: model.bytes.byteLength,
        meanWeightBits: report.meanWeightBits,
        scores: [...(logits!.data as Float32Array)],
      };
    }
    throw new Error("no pictures");
  } finally {
    await session.release();
  }
}
