/** Data and measure of the super-resolution model, as in the shared data's README, note 2. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { type Dataset, datasetFromArrays } from "../../src/data/index.ts";
import { Tensor } from "../../src/tensor/index.ts";
import type { TaskMeasure } from "./token-loss.ts";

const LARGE = 252;
const SMALL = 84;
const BORDER = 6;

/** Lumas of the first `count` pictures: small as inputs, large as originals. */
export async function superResolutionData(
  folder: string,
  count: number,
): Promise<{ dataset: Dataset; originals: readonly Float32Array[] }> {
  const rows = (await readFile(join(folder, "labels.csv"), "utf8")).trim().split("\n").slice(1, count + 1); // biome-ignore format: one list
  const inputs = new Float32Array(count * SMALL * SMALL);
  const originals: Float32Array[] = [];
  for (const [i, row] of rows.entries()) {
    const large = await lumaCrop(join(folder, "images", row.split(",")[0]!));
    originals.push(Float32Array.from(large, (y) => y / 255));
    const small = await sharp(large, { raw: { width: LARGE, height: LARGE, channels: 1 } }).resize(SMALL, SMALL, { kernel: "cubic" }).extractChannel(0).raw().toBuffer(); // biome-ignore format: one chain
    inputs.set(
      Float32Array.from(small, (y) => y / 255),
      i * SMALL * SMALL,
    );
  }
  const tensor = new Tensor("float32", [count, 1, SMALL, SMALL], inputs);
  return { dataset: datasetFromArrays(new Map([["input", tensor]]), { description: "lumas, 84 x 84" }), originals };
}

/** Y of YCbCr (BT.601), centre crop. */
async function lumaCrop(path: string): Promise<Uint8Array> {
  const { data, info } = await sharp(path)
    .removeAlpha()
    .toColourspace("srgb")
    .raw()
    .toBuffer({ resolveWithObject: true });
  const left = Math.floor((info.width - LARGE) / 2);
  const top = Math.floor((info.height - LARGE) / 2);
  return Uint8Array.from({ length: LARGE * LARGE }, (_, i) => {
    const at = ((top + Math.floor(i / LARGE)) * info.width + left + (i % LARGE)) * info.channels;
    return Math.round(0.299 * data[at]! + 0.587 * data[at + 1]! + 0.114 * data[at + 2]!);
  });
}

/** Peak signal-to-noise ratio in dB over each picture less a border, averaged over pictures. */
export function psnrOfSuperResolution(originals: readonly Float32Array[]): TaskMeasure {
  return {
    header: "PSNR dB",
    digits: 2,
    async measure(session, data) {
      let sum = 0;
      for (let index = 0; index < data.count; index++) {
        const input = (await data.sample(index)).input!;
        const { output } = await session.run({ input: new Tensor("float32", [1, ...input.shape], input.data) });
        sum += psnr(output!.data as Float32Array, originals[index]!);
      }
      return sum / data.count;
    },
  };
}

function psnr(output: Float32Array, original: Float32Array): number {
  let squares = 0;
  const side = LARGE - 2 * BORDER;
  for (let y = BORDER; y < LARGE - BORDER; y++) {
    for (let x = BORDER; x < LARGE - BORDER; x++) {
      const i = y * LARGE + x;
      squares += (Math.min(1, Math.max(0, output[i]!)) - original[i]!) ** 2;
    }
  }
  return -10 * Math.log10(squares / (side * side));
}
