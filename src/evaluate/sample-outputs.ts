/** What a model says about each sample: batches in, one output per sample out. */
import { type Dataset, fixedBatchSize, type ModelInput, type Sample, toFeeds } from "../data/index.ts";
import { DataError, OptionError } from "../errors.ts";
import type { Session } from "../runtime/index.ts";
import { type Tensor, toNumbers } from "../tensor/index.ts";

/** A model that is to be evaluated, and the data it is evaluated on. */
export interface EvaluatedModel {
  /** Path, for reports. */
  readonly path: string;
  /** Bytes of the model with its weight files. */
  readonly sizeBytes: number;
  readonly session: Session;
  /** Inputs that must be fed. */
  readonly inputs: readonly ModelInput[];
  /** The same samples for all models; models with the same preprocessing best share one object, which is then read once. */
  readonly dataset: Dataset;
  /** Name of the output that is looked at. Default: the first. */
  readonly output?: string | undefined;
}

/** One output of one sample. */
export interface SampleOutput {
  /** Without the batch axis. */
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array;
}

/**
 * Returns the name of the output that is looked at.
 *
 * @throws OptionError if the model has no output of that name.
 */
export function outputName({ path, session, output }: EvaluatedModel): string {
  const name = output ?? session.outputNames[0];
  if (name === undefined || !session.outputNames.includes(name)) {
    throw new OptionError(`${path}: output must be one of ${session.outputNames.join(", ")}, got ${name ?? "none"}.`);
  }
  return name;
}

/**
 * Runs samples through a model, all at once, or in the batches it demands: then the last one is filled up with its last
 * sample, and what comes out for that is dropped.
 *
 * @param firstIndex Number of the first sample, for messages.
 * @throws DataError if samples do not fit the model, or outputs cannot be told apart by sample. RuntimeFailure.
 */
export async function runSamples(
  model: EvaluatedModel,
  samples: readonly Sample[],
  firstIndex: number,
): Promise<SampleOutput[]> {
  const { dataset } = model;
  const fixed = fixedBatchSize(model.inputs);
  const size = fixed ?? samples.length;
  const name = outputName(model);
  const outputs: SampleOutput[] = [];
  for (let start = 0; start < samples.length; start += size) {
    const chunk = samples.slice(start, start + size);
    const padded = fixed === undefined ? chunk : Array.from({ length: fixed }, (_, i) => chunk[i] ?? chunk.at(-1)!);
    const nameOf = (index: number): string =>
      dataset.sampleName(Math.min(firstIndex + start + index, dataset.count - 1));
    const feeds = toFeeds(padded, model.inputs, { where: dataset.description, nameOf });
    const result = await model.session.run(feeds, [name]);
    const perSample = splitOutput(result[name]!, padded.length, `${model.path}: output ${name}`);
    outputs.push(...perSample.slice(0, chunk.length));
  }
  return outputs;
}

function splitOutput(tensor: Tensor, batch: number, where: string): SampleOutput[] {
  const values = tensor.dtype === "float32" ? (tensor.data as Float32Array) : toNumbers(tensor);
  if (batch === 1) return [{ shape: tensor.shape[0] === 1 ? tensor.shape.slice(1) : tensor.shape, values }];
  if (tensor.shape[0] !== batch) {
    throw new DataError(
      `${where} must have ${batch} rows, one for each sample of the batch, got [${tensor.shape.join(", ")}]. ` +
        "Evaluate with batches of one.",
    );
  }
  const shape = tensor.shape.slice(1);
  const length = values.length / batch;
  return Array.from({ length: batch }, (_, i) => ({ shape, values: values.subarray(i * length, (i + 1) * length) }));
}
