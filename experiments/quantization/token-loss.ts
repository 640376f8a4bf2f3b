/** Mean negative log-likelihood of a language model on token sequences. */
import type { Dataset } from "../../src/data/index.ts";
import type { Session } from "../../src/runtime/index.ts";
import { Tensor } from "../../src/tensor/index.ts";

/** A measure of a model on a data set, with its unit. */
export interface TaskMeasure {
  /** Header of its column. */
  readonly header: string;
  readonly digits: number;
  measure(session: Session, data: Dataset): Promise<number>;
}

/** Nats per token, tokens 2 to the last given all before. */
export const tokenLoss: TaskMeasure = {
  header: "nats/token",
  digits: 4,
  async measure(session, data) {
    let sum = 0;
    let count = 0;
    for (let index = 0; index < data.count; index++) {
      const tokens = (await data.sample(index)).tokens!;
      const feeds = { tokens: new Tensor("int64", [1, ...tokens.shape], tokens.data) };
      const logits = (await session.run(feeds)).logits!;
      const vocabulary = logits.shape.at(-1)!;
      for (let t = 0; t + 1 < tokens.size; t++) {
        const row = (logits.data as Float32Array).subarray(t * vocabulary, (t + 1) * vocabulary);
        const largest = row.reduce((a, b) => Math.max(a, b));
        const logSum = largest + Math.log(row.reduce((total, logit) => total + Math.exp(logit - largest), 0));
        sum += logSum - row[Number((tokens.data as BigInt64Array)[t + 1])]!;
        count++;
      }
    }
    return sum / count;
  },
};
