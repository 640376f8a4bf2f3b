/** Samples as an exported network takes them. */
import { type Dataset, datasetFromArrays, type Normalization, selectSamples } from "../data/index.ts";
import { Tensor } from "../tensor/index.ts";

/**
 * Reads samples into memory as float32, normalized: `(x * scale - mean) / std`, channel by channel.
 *
 * @param indices Numbers of the samples. Default: all.
 */
export async function normalizedSamples(
  dataset: Dataset,
  normalization: Normalization | undefined,
  indices: ArrayLike<number> = Uint32Array.from({ length: dataset.count }, (_, i) => i),
): Promise<Dataset> {
  const chosen = selectSamples(dataset, indices);
  const first = (await chosen.sample(0)).x!;
  const data = new Float32Array(chosen.count * first.size);
  for (let index = 0; index < chosen.count; index++) {
    const { x } = await chosen.sample(index);
    data.set(x!.data as Uint8Array, index * first.size);
  }
  if (normalization) normalize(data, first.size, normalization);
  const x = new Tensor("float32", [chosen.count, ...first.shape], data);
  const { description, labels, classNames } = chosen;
  return datasetFromArrays(new Map([["x", x]]), { description, labels, classNames });
}

function normalize(data: Float32Array, sampleSize: number, { scale, mean, std }: Normalization): void {
  const channelSize = sampleSize / mean.length;
  for (let i = 0; i < data.length; i++) {
    const channel = Math.floor((i % sampleSize) / channelSize);
    data[i] = (data[i]! * scale - mean[channel]!) / std[channel]!;
  }
}
