/** Mixtures of two samples. */
import { DataError, OptionError } from "../errors.ts";
import { type Random, shuffledIndices, Tensor } from "../tensor/index.ts";
import type { BatchAugmentation } from "./augmentation.ts";

/** How samples are mixed. */
export interface MixupOptions {
  /** Shares come from Beta(alpha, alpha): near 0 or 1 for small alpha. Default 1 (uniform), the paper's for CIFAR. */
  readonly alpha?: number;
  /** Name of the labels. Default "label"; the others' labels are then "label2". */
  readonly label?: string;
}

/**
 * Returns a batch augmentation that mixes each sample with another of its batch: x = m x1 + (1 - m) x2.
 *
 * Batches get two more inputs: `label2` int64 [batch], the other's label, and `mix` float32 [batch], the share m of `label`. The
 * loss is m loss(label) + (1 - m) loss(label2), sample by sample. Bytes stay bytes, rounded.
 *
 * The authors' code draws one share for a batch; here each sample has its own, as in the paper's equation.
 *
 * @throws OptionError if alpha is not above zero. DataError (when used) if arrays are neither uint8 nor float32.
 * @see Zhang, Cisse, Dauphin, Lopez-Paz 2018, "mixup: Beyond Empirical Risk Minimization", arXiv:1710.09412
 * @example
 * trainingBatches(data.train, { batchSize: 128, epoch, augment: cropAndFlip(), augmentBatch: mixup() });
 */
export function mixup({ alpha = 1, label = "label" }: MixupOptions = {}): BatchAugmentation {
  if (!(alpha > 0)) throw new OptionError(`mixup: alpha must be above zero, got ${alpha}.`);
  return (batch, random) => {
    const labels = batch[label]!;
    const count = labels.shape[0]!;
    const partner = shuffledIndices(count, random);
    const mix = Float32Array.from({ length: count }, () => beta(alpha, random));
    const others = new BigInt64Array(labels.data.length);
    const perSample = labels.data.length / count;
    for (let i = 0; i < count; i++) {
      const from = partner[i]! * perSample;
      others.set((labels.data as BigInt64Array).subarray(from, from + perSample), i * perSample);
    }
    const arrays = Object.entries(batch)
      .filter(([name]) => name !== label)
      .map(([name, tensor]) => [name, mixed(tensor, partner, mix)] as const);
    return {
      ...Object.fromEntries(arrays),
      [label]: labels,
      [`${label}2`]: new Tensor("int64", labels.shape, others),
      mix: new Tensor("float32", [count], mix),
    };
  };
}

function mixed({ dtype, shape, data }: Tensor, partner: Uint32Array, mix: Float32Array): Tensor {
  if (!(data instanceof Float32Array) && !(data instanceof Uint8Array && dtype === "uint8")) {
    throw new DataError(`mixup: samples must be uint8 or float32, got ${dtype} [${shape.join(", ")}].`);
  }
  const length = data.length / mix.length;
  const result = data instanceof Float32Array ? new Float32Array(data.length) : new Uint8Array(data.length);
  const half = data instanceof Float32Array ? 0 : 0.5; // a byte is cut, so that half is added to round it
  for (let i = 0; i < mix.length; i++) {
    const share = mix[i]!;
    const offset = (partner[i]! - i) * length;
    for (let at = i * length; at < (i + 1) * length; at++) {
      result[at] = share * data[at]! + (1 - share) * data[at + offset]! + half;
    }
  }
  return new Tensor(dtype, shape, result);
}

function beta(alpha: number, random: Random): number {
  const [x, y] = [gamma(alpha, random), gamma(alpha, random)];
  // Both may underflow to 0 for tiny alpha, whose distribution is then 0 or 1.
  return x + y > 0 ? x / (x + y) : random.integer(2);
}

/** Marsaglia, Tsang 2000, "A simple method for generating gamma variables"; below 1 by its own boost. */
function gamma(alpha: number, random: Random): number {
  if (alpha < 1) return gamma(alpha + 1, random) * (1 - random.uniform()) ** (1 / alpha);
  const d = alpha - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  while (true) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.uniform()) < (x * x) / 2 + d - d * v + d * Math.log(v)) return d * v;
  }
}
