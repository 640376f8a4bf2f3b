/** Calibration: statistics of activations over a data set, one run of the model per batch, memory bounded by the model. */
import { DataError } from "../errors.ts";
import { writeModel } from "../onnx/index.ts";
import type { Program, Value } from "../program/index.ts";
import type { Runtime, Session } from "../runtime/index.ts";
import { seededRandom } from "../tensor/index.ts";
import {
  type BatchStatistics,
  calibrationProgram,
  POSITIONS_INPUT,
  positionsTensor,
  readStatistics,
  STATISTICS_OUTPUT,
  type StatisticsRequest,
} from "./calibration-program.ts";
import { MomentAccumulator } from "./moment-accumulator.ts";
import type { CalibrationData, Feeds, Progress } from "./options.ts";
import { SampleStore } from "./sample-store.ts";
import { channelScalesFor } from "./scaled-channels.ts";
import type { Statistics } from "./statistics.ts";

/** Mean and variance of each channel of a value. */
export interface InputMoments {
  readonly means: Float64Array;
  readonly variances: Float64Array;
}

/** What calibration learned about one value. */
export interface ValueStatistics {
  readonly inputs: InputMoments;
  /** Moments of the whole tensor, with a histogram of the samples; absent when only means were asked for. */
  readonly tensor?: Statistics;
  /** What each channel was divided by for `tensor`, when that was asked for. */
  readonly channelScales?: Float32Array;
  /** Moments of each channel; present when asked for. */
  readonly channels?: readonly Statistics[];
}

/** The result of a calibration. */
export interface Calibration {
  readonly statistics: ReadonlyMap<Value, ValueStatistics>;
  readonly samples: number;
  readonly batches: number;
}

/** Options of `calibrate`. */
export interface CalibrateOptions {
  readonly runtime: Runtime;
  readonly seed: number;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a program over calibration data and returns statistics of the requested values.
 *
 * Minimum, maximum and mean are exact over all data. So are, where a request says `exact`, the variance and b = mean|x - mu|,
 * which uses each batch's own mean and is averaged over batches (ACIQ's offline mode). Histograms, and otherwise these two,
 * are of sampled values, at least 65,536 a tensor where there are as many.
 * Without requests nothing is run.
 *
 * @throws DataError if the data are empty, or an activation is not finite (names it).
 */
export async function calibrate(
  program: Program,
  requests: readonly StatisticsRequest[],
  data: CalibrationData,
  options: CalibrateOptions,
): Promise<Calibration> {
  if (requests.length === 0) return { statistics: new Map(), samples: 0, batches: 0 };
  const session = await options.runtime.createSession(writeModel(calibrationProgram(program, requests)));
  const random = seededRandom(options.seed);
  const collectors = requests.map((request) => new Collector(request));
  let samples = 0;
  let batches = 0;
  try {
    for await (const feeds of data.batches()) {
      options.signal?.throwIfAborted();
      await collectBatch(session, feeds, collectors, random.uniform);
      samples += batchSize(program, feeds);
      batches++;
      options.onProgress?.({ stage: "calibrate", done: samples, total: data.count, unit: "samples" });
    }
  } finally {
    await session.release();
  }
  if (batches === 0)
    throw new DataError(`calibrate: there must be at least one calibration sample, got none from ${data.description}.`);
  return {
    statistics: new Map(collectors.map((collector) => [collector.value, collector.result()])),
    samples,
    batches,
  };
}

/** Returns how many samples a set of feeds holds: the length of the first input's first axis, 1 where that is fixed to 1. */
export function batchSize(program: Program, feeds: Feeds): number {
  const first = program.graph.inputs.find((input) => feeds[input.name]);
  return first ? (feeds[first.name]!.shape[0] ?? 1) : 1;
}

async function collectBatch(
  session: Session,
  feeds: Feeds,
  collectors: readonly Collector[],
  uniform: () => number,
): Promise<void> {
  const results = await session.run({ ...feeds, [POSITIONS_INPUT]: positionsTensor(uniform) });
  const requests = collectors.map((collector) => collector.request);
  readStatistics(results[STATISTICS_OUTPUT]!, requests).forEach((found, i) => {
    collectors[i]!.add(found);
  });
}

/** Sampled feature maps (batches of rows) a histogram is made of, at least, before thinning begins. */
const BATCHES_KEPT = 64;

/** Gathers one value's statistics from batch after batch. */
class Collector {
  readonly request: StatisticsRequest;
  readonly #tensor = new MomentAccumulator(1);
  #channels: MomentAccumulator | undefined;
  readonly #samples: SampleStore;

  constructor(request: StatisticsRequest) {
    this.request = request;
    this.#samples = new SampleStore(request.positions * BATCHES_KEPT);
  }

  get value(): Value {
    return this.request.value;
  }

  add({ count, mean, min, max, samples, ...found }: BatchStatistics): void {
    if (count === 0) return;
    // Also NaN or infinite when one of the channels is.
    const average = averageOf(mean);
    this.#assertFinite(average, mean);
    this.#samples.add(samples);
    this.#channels ??= new MomentAccumulator(mean.length);
    const { absolute, square, channelAbsolute, channelSquare } = found;
    const perChannel = { mean, min, max, absolute: channelAbsolute, square: channelSquare };
    this.#channels.add({ count: count / mean.length, ...perChannel });
    if (this.request.detail === "inputs") return;
    const lowest = min && lowestOf(min);
    const highest = highestOf(max!);
    for (const extreme of [lowest ?? 0, highest]) this.#assertFinite(extreme, [extreme]);
    this.#tensor.add({
      count,
      mean: [average],
      min: lowest === undefined ? undefined : [lowest],
      max: [highest],
      absolute,
      square,
    });
  }

  result(): ValueStatistics {
    const { detail, exact, minimum, value } = this.request;
    if (!this.#channels)
      throw new DataError(`calibrate: ${value.name} must have elements, got an empty tensor in every batch.`);
    const means = this.#channels.means();
    const inputs = { means, variances: this.#samples.channelVariances(means) };
    if (detail === "inputs") return { inputs };
    if (this.request.scaled) return { inputs, ...this.#scaled() };
    const [tensor] = this.#tensor.statistics();
    const complete = (found: Statistics, channel?: number): Statistics => {
      const statistics = minimum === undefined ? found : { ...found, min: minimum };
      return this.#samples.withHistogram(
        exact ? statistics : this.#samples.withDeviations(statistics, channel),
        channel,
      );
    };
    if (detail === "tensor") return { inputs, tensor: complete(tensor!) };
    return { inputs, tensor: complete(tensor!), channels: this.#channels.statistics().map(complete) };
  }

  /** Statistics of the tensor with each channel divided by its number. */
  #scaled(): { tensor: Statistics; channelScales: Float32Array } {
    const { minimum } = this.request;
    const channels = this.#channels!.statistics().map((channel) =>
      minimum === undefined ? channel : { ...channel, min: minimum },
    );
    const channelScales = channelScalesFor(channels);
    const divided = (of: (channel: Statistics) => number): number[] =>
      channels.map((channel, c) => of(channel) / channelScales[c]!);
    const moments: Statistics = {
      count: channels.reduce((sum, { count }) => sum + count, 0),
      min: divided(({ min }) => min).reduce((least, one) => Math.min(least, one)),
      max: divided(({ max }) => max).reduce((most, one) => Math.max(most, one)),
      mean: divided(({ mean }) => mean).reduce((sum, one) => sum + one / channels.length, 0),
      meanAbsoluteDeviation: 0,
      standardDeviation: 0,
    };
    const samples = this.#samples.dividedBy(channelScales);
    return { tensor: samples.withHistogram(samples.withDeviations(moments)), channelScales };
  }

  /** Throws a DataError naming the number at fault unless the summary of some numbers is finite. */
  #assertFinite(summary: number, numbers: ArrayLike<number>): void {
    if (Number.isFinite(summary)) return;
    const wrong = Array.from(numbers).find((number) => !Number.isFinite(number)) ?? summary;
    throw new DataError(
      `calibrate: activations must be finite, got ${wrong} in ${this.value.name}. Check the model's weights and the preprocessing of the calibration data.`,
    );
  }
}

function averageOf(numbers: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < numbers.length; i++) sum += numbers[i]!;
  return sum / numbers.length;
}

function lowestOf(numbers: Float32Array): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < numbers.length; i++) if (numbers[i]! < least) least = numbers[i]!;
  return least;
}

function highestOf(numbers: Float32Array): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < numbers.length; i++) if (numbers[i]! > most) most = numbers[i]!;
  return most;
}
