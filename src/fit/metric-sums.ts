/** Means of metrics over the steps since the last report. */
import { type Tensor, toNumbers } from "../tensor/index.ts";
import type { Progress } from "./checkpoint.ts";

/** Adds up the metrics of steps. Sums are formed step by step in float64, so that a resumed run gets the same means. */
export class MetricSums {
  #steps: number;
  readonly #sums: Map<string, number>;

  constructor({ steps, sums }: Progress["unreported"] = { steps: 0, sums: {} }) {
    this.#steps = steps;
    this.#sums = new Map(Object.entries(sums));
  }

  get steps(): number {
    return this.#steps;
  }

  /** Adds a step's scalars; metrics of other shapes are no numbers to report. */
  add(metrics: Readonly<Record<string, Tensor>>): void {
    for (const [name, tensor] of Object.entries(metrics)) {
      if (tensor.data.length !== 1) continue;
      // What is missing among steps that were added was not finite, see `unreported`.
      const before = this.#sums.get(name) ?? (this.#steps === 0 ? 0 : Number.NaN);
      this.#sums.set(name, before + toNumbers(tensor)[0]!);
    }
    this.#steps++;
  }

  /** Returns the means, and starts anew. */
  take(): Record<string, number> {
    const means = [...this.#sums].map(([name, sum]) => [name, sum / this.#steps] as const);
    this.#sums.clear();
    this.#steps = 0;
    return Object.fromEntries(means);
  }

  /** The sums for a checkpoint. JSON has no word for what is not finite: it is left out. */
  unreported(): Progress["unreported"] {
    const finite = [...this.#sums].filter(([, sum]) => Number.isFinite(sum));
    return { steps: this.#steps, sums: Object.fromEntries(finite) };
  }
}
