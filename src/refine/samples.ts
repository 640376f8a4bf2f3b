/** Samples of one tensor, kept in memory: what goes into a block, or comes out of it. */
import { type DType, elementCount, type Tensor, zeros } from "../tensor/index.ts";

/** Any array of numbers: what is copied is not looked at. */
type Numbers = Float32Array;

/** An array of samples, of one shape and element type. */
export class Samples {
  readonly dtype: DType;
  /** Of one sample. */
  readonly shape: readonly number[];
  readonly count: number;
  readonly #data: Numbers;

  constructor(dtype: DType, shape: readonly number[], count: number) {
    this.dtype = dtype;
    this.shape = shape;
    this.count = count;
    this.#data = zeros(dtype, [count, ...shape]).data as Numbers;
  }

  /** Writes a batch of samples, from the `first` on; what is beyond the last is left out. */
  write(first: number, batch: Tensor): void {
    const size = elementCount(this.shape);
    const data = batch.data as Numbers;
    const length = Math.min(data.length, (this.count - first) * size);
    this.#data.set(data.subarray(0, length), first * size);
  }

  /** Returns some samples as a batch. */
  take(indices: ArrayLike<number>): Tensor {
    const size = elementCount(this.shape);
    const batch = zeros(this.dtype, [indices.length, ...this.shape]);
    const data = batch.data as Numbers;
    for (let i = 0; i < indices.length; i++) {
      const from = indices[i]! * size;
      data.set(this.#data.subarray(from, from + size), i * size);
    }
    return batch;
  }
}
