/** Models made of plain functions, for testing what is done with their outputs. */
import type { Dataset, ModelInput } from "../data/index.ts";
import { datasetFromArrays } from "../data/index.ts";
import type { Session } from "../runtime/index.ts";
import { float32, Tensor } from "../tensor/index.ts";
import type { EvaluatedModel } from "./sample-outputs.ts";

/** A data set of samples [values], with labels. */
export function vectors(values: readonly (readonly number[])[], labels?: readonly number[]): Dataset {
  const tensor = float32([values.length, values[0]!.length], values.flat());
  return datasetFromArrays(new Map([["x", tensor]]), {
    description: "vectors",
    labels: labels && Int32Array.from(labels),
  });
}

/** What a fake model is made of. */
export interface FakeModelOptions {
  readonly batch?: number | string;
  /** Shape of one output; default that of the sample. */
  readonly outputShape?: readonly number[];
  /** Called with the batch size of every run. */
  readonly onRun?: (batch: number) => void;
}

/** A model that applies `apply` to each sample. */
export function fakeModel(
  path: string,
  dataset: Dataset,
  apply: (sample: Float32Array) => readonly number[],
  { batch = "N", outputShape, onRun }: FakeModelOptions = {},
): EvaluatedModel {
  const inputs: ModelInput[] = [{ name: "x", dtype: "float32", shape: [batch, null] }];
  const session: Session = {
    inputNames: ["x"],
    outputNames: ["y"],
    async run(feeds) {
      const { shape, data } = feeds.x!;
      const count = shape[0]!;
      onRun?.(count);
      const length = data.length / count;
      const rows = Array.from({ length: count }, (_, i) =>
        apply((data as Float32Array).subarray(i * length, (i + 1) * length)),
      );
      return {
        y: new Tensor("float32", [count, ...(outputShape ?? [rows[0]!.length])], Float32Array.from(rows.flat())),
      };
    },
    runHolding: () => Promise.reject(new Error("a fake model holds nothing")),
    async release() {},
  };
  return { path, sizeBytes: 1, session, dataset, inputs };
}
