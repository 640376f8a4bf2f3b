/** In which order samples are learned from. */
import { type Random, seededRandom, shuffledIndices } from "../tensor/index.ts";
import type { BlockData } from "./block-data.ts";

/** One in so many samples is kept back to judge by. */
const ONE_OF = 8;

/** How many of the last samples are kept back: whole batches; all of them where there are too few to divide. */
export function samplesKeptBack({ count, batchSize }: BlockData): number {
  const kept = Math.max(1, Math.round(count / ONE_OF / batchSize)) * batchSize;
  return kept * 2 > count ? count : kept;
}

/** Batches of places of samples: each sample once before any comes again. */
export class SampleBatches {
  readonly #count: number;
  readonly #size: number;
  readonly #random: Random;
  #order: number[] = [];

  constructor(count: number, size: number, seed: number) {
    this.#count = count;
    this.#size = size;
    this.#random = seededRandom(seed);
  }

  next(): number[] {
    while (this.#order.length < this.#size) this.#order.push(...shuffledIndices(this.#count, this.#random));
    return this.#order.splice(0, this.#size);
  }
}
