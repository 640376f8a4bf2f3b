/** Mixed precision: bits of every layer's weights, chosen so that a model within limits loses least. */
import { OptionError } from "../../errors.ts";
import { type ModelFile, modelSizeBytes } from "../../onnx/index.ts";
import type { Runtime } from "../../runtime/index.ts";
import { type DraftParts, firstDraft } from "../ladder.ts";
import { layerName } from "../layer-bits.ts";
import type { LoweredProgram } from "../lowering/plan.ts";
import type { CalibrationData, Feeds, Progress } from "../options.ts";
import type { Draft } from "../refinements/refinement.ts";
import { splitData } from "../refinements/split-data.ts";
import { agreementDrop } from "./agreement.ts";
import { chooseBits } from "./choose-bits.ts";
import type { DropMeasure, Limits, LimitTrial, MixedPrecisionReport } from "./limits.ts";
import { modelLatencyMs } from "./model-latency.ts";
import { type Survey, surveyWidths } from "./survey-widths.ts";

/** What choosing widths needs besides the parts of a draft. */
export interface MixWidthsOptions {
  readonly runtime: Runtime;
  readonly data: CalibrationData;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (progress: Progress) => void;
  /** Writes a draft as it would be deployed. */
  write(draft: Draft): ModelFile;
  /** Lowers a draft likewise. Its program is used up. */
  lower(draft: Draft): LoweredProgram;
}

/** Settings with the bits of every layer, and how they were found. */
export interface MixedWidths {
  readonly settings: DraftParts["settings"];
  readonly report: MixedPrecisionReport;
}

/** Times a model is made again because it turned out larger or slower than its layers summed to. */
const CORRECTIONS = 6;

/** Halvings, of the ratio of sizes, in the search for the smallest file: to within 2 %, where float is 13 times the smallest. */
const HALVINGS = 7;

/** Milliseconds that a whole model is measured for. */
const MODEL_MS = 600;

/** Bytes that two written models of the same parts may differ by: names, shapes. */
const SLACK_BYTES = 16;

/**
 * Chooses the bits of all layers' weights: measures what each width of each layer does to the outputs (`surveyWidths`), and
 * solves for the least sum within the limits (`chooseBits`). Models are written, and where latency or drop are limited run,
 * to see that they keep the limits; where they do not, sums are corrected by the difference.
 *
 * @throws OptionError if no choice is within the limits, with the best that there is.
 */
export async function mixWidths(parts: DraftParts, limits: Limits, options: MixWidthsOptions): Promise<MixedWidths> {
  const started = performance.now();
  const { data, runtime } = options;
  // What widths are chosen by is not what the result is judged by.
  const { fit, judge: heldOut } = await splitData(data);
  const survey = await surveyWidths(parts, { ...options, data: fit, withLatency: limits.latencyMs !== undefined });
  const drop =
    limits.maxDrop === undefined
      ? undefined
      : (limits.drop ?? (await agreementDrop(parts.program, parts.layers, heldOut, runtime)));
  const search = new Search(parts, limits, survey, drop, options);
  const choice = limits.maxDrop === undefined ? await search.within(limits.sizeBytes) : await search.smallest();
  const record: MixedPrecisionReport = {
    limits: {
      sizeBytes: limits.sizeBytes ?? null,
      latencyMs: limits.latencyMs ?? null,
      maxDrop: limits.maxDrop ?? null,
    },
    errorMeasure: survey.errorMeasure,
    samples: survey.samples,
    dropMeasure: drop?.name ?? null,
    layers: survey.groups.map(({ layers, widths }, group) => ({
      names: layers.map(layerName),
      bits: widths[choice.indices[group]!]!.bits,
      widths: widths.map((width) => ({ ...width, latencyMs: limits.latencyMs === undefined ? null : width.latencyMs })),
    })),
    trials: search.trials.map((trial) => ({ ...trial.record, kept: trial === choice })),
    seconds: (performance.now() - started) / 1000,
  };
  return { settings: choice.settings, report: record };
}

/** A model that was made. */
interface Trial {
  readonly indices: readonly number[];
  readonly settings: DraftParts["settings"];
  readonly record: Omit<LimitTrial, "kept">;
}

/** Solving, making and measuring, until the limits are kept. */
class Search {
  readonly parts: DraftParts;
  readonly limits: Limits;
  readonly survey: Survey;
  readonly drop: DropMeasure | undefined;
  readonly options: MixWidthsOptions;
  readonly trials: Trial[] = [];
  readonly #made = new Map<string, Promise<Trial>>();

  constructor(
    parts: DraftParts,
    limits: Limits,
    survey: Survey,
    drop: DropMeasure | undefined,
    options: MixWidthsOptions,
  ) {
    this.parts = parts;
    this.limits = limits;
    this.survey = survey;
    this.drop = drop;
    this.options = options;
  }

  /** The best model of at most so many bytes, and within the latency. */
  async within(sizeBytes: number | undefined): Promise<Trial> {
    const { latencyMs } = this.limits;
    const { widths } = this;
    const largest = await this.make(widths.map((options) => indexOf(options, Math.max)));
    // What a file holds, and a run takes, besides what was summed.
    let otherBytes = largest.record.sizeBytes - sumOf(widths, largest.indices, "sizeBytes");
    let otherMs = (largest.record.latencyMs ?? 0) - sumOf(widths, largest.indices, "latencyMs");
    let best: Trial | undefined;
    for (let round = 0; round < CORRECTIONS; round++) {
      const indices = await chooseBits(widths, {
        sizeBytes: sizeBytes === undefined ? undefined : sizeBytes - otherBytes,
        latencyMs: latencyMs === undefined ? undefined : latencyMs - otherMs,
      });
      if (!indices) break;
      const trial = await this.make(indices);
      const excessBytes = trial.record.sizeBytes - (sizeBytes ?? Number.POSITIVE_INFINITY);
      const excessMs = (trial.record.latencyMs ?? 0) - (latencyMs ?? Number.POSITIVE_INFINITY);
      if (excessBytes <= 0 && excessMs <= 0) return trial;
      best = trial;
      if (excessBytes > 0) otherBytes += excessBytes + SLACK_BYTES;
      if (excessMs > 0) otherMs += excessMs;
    }
    throw await this.unreachable(sizeBytes, best);
  }

  /** The smallest file that loses no more than is allowed, and is within the other limits. */
  async smallest(): Promise<Trial> {
    const { limits, widths } = this;
    const { sizeBytes: atMost } = limits;
    const largest = await this.make(widths.map((options) => indexOf(options, Math.max)));
    let high = Math.min(atMost ?? Number.POSITIVE_INFINITY, largest.record.sizeBytes);
    let best = await this.within(high);
    if (best.record.drop! > limits.maxDrop!) throw this.tooLossy(best);
    const smallest = await this.make(widths.map((options) => indexOf(options, Math.min)));
    if (this.isAllowed(smallest)) return smallest;
    let low = smallest.record.sizeBytes;
    for (let halving = 0; halving < HALVINGS && high - low > SLACK_BYTES; halving++) {
      const middle = Math.sqrt(low * high);
      const trial = await this.within(middle).catch((error) => {
        if (error instanceof OptionError) return undefined;
        throw error;
      });
      if (trial && this.isAllowed(trial)) {
        best = trial.record.sizeBytes < best.record.sizeBytes ? trial : best;
        high = Math.min(middle, trial.record.sizeBytes);
      } else low = middle;
    }
    return best;
  }

  private get widths() {
    return this.survey.groups.map(({ widths }) => widths);
  }

  private isAllowed({ record }: Trial): boolean {
    const { maxDrop, latencyMs } = this.limits;
    return record.drop! <= maxDrop! && (record.latencyMs ?? 0) <= (latencyMs ?? Number.POSITIVE_INFINITY);
  }

  /** Makes and measures the model of a choice, once. */
  private make(indices: readonly number[]): Promise<Trial> {
    const key = indices.join();
    const known = this.#made.get(key);
    if (known) return known;
    const made = this.makeNew(indices);
    this.#made.set(key, made);
    return made;
  }

  private async makeNew(indices: readonly number[]): Promise<Trial> {
    const { parts, limits, survey, options, drop } = this;
    options.signal?.throwIfAborted();
    const layerBits = new Map(parts.settings.layerBits);
    for (const [group, { layers, widths }] of survey.groups.entries()) {
      const { bits } = widths[indices[group]!]!;
      for (const layer of layers)
        layerBits.set(layerName(layer), { ...layerBits.get(layerName(layer)), weights: bits });
    }
    const settings = { ...parts.settings, layerBits };
    const model = options.write(await firstDraft({ ...parts, settings }, options.signal));
    const latencyMs = limits.latencyMs === undefined ? null : await this.latencyOf(model);
    const record = {
      sizeBytes: modelSizeBytes(model),
      latencyMs,
      drop: drop ? await drop.measure(model) : null,
    };
    const trial = { indices, settings, record };
    this.trials.push(trial);
    options.onProgress({ stage: "limits", done: this.trials.length, total: undefined, unit: "models" });
    return trial;
  }

  private latencyOf(model: ModelFile): Promise<number> {
    return modelLatencyMs(model, { runtime: this.options.runtime, feeds: this.survey.feeds as Feeds, forMs: MODEL_MS });
  }

  private async unreachable(sizeBytes: number | undefined, last: Trial | undefined): Promise<OptionError> {
    const { widths, limits } = this;
    const smallest = await this.make(widths.map((options) => indexOf(options, Math.min)));
    const fastest = await this.make(
      widths.map((options) => leastIndex(options.map(({ latencyMs, error }) => latencyMs + error * 1e-9))),
    );
    const asked = [
      ...(sizeBytes === undefined ? [] : [`${Math.floor(sizeBytes)} bytes`]),
      ...(limits.latencyMs === undefined ? [] : [`${limits.latencyMs} ms`]),
    ].join(" and ");
    const found = [
      ...(sizeBytes === undefined ? [] : [`the smallest has ${smallest.record.sizeBytes} bytes`]),
      ...(limits.latencyMs === undefined
        ? []
        : [
            `the fastest takes ${milliseconds(Math.min(...[fastest, smallest, ...(last ? [last] : [])].map(({ record }) => record.latencyMs!)))}`,
          ]),
    ].join(", ");
    return new OptionError(
      `quantize: limits must be ones that the model can keep, got ${asked}: of all widths of its layers ${found}.`,
    );
  }

  private tooLossy({ record }: Trial): OptionError {
    const { maxDrop, sizeBytes } = this.limits;
    const where = sizeBytes === undefined ? "at the most bits" : `within ${Math.floor(sizeBytes)} bytes`;
    return new OptionError(
      `quantize: maxDrop must be one that the model can keep, got ${maxDrop}: ${where} it loses ${record.drop!.toFixed(2)} points of ${this.drop!.name}.`,
    );
  }
}

function milliseconds(latencyMs: number): string {
  return `${latencyMs.toPrecision(3)} ms`;
}

function sumOf(
  widths: readonly (readonly Record<"sizeBytes" | "latencyMs", number>[])[],
  indices: readonly number[],
  key: "sizeBytes" | "latencyMs",
): number {
  return indices.reduce((sum, index, group) => sum + widths[group]![index]![key], 0);
}

/** The option with the most, or the fewest, bytes. */
function indexOf(options: readonly { readonly sizeBytes: number }[], which: (...sizes: number[]) => number): number {
  const sizes = options.map(({ sizeBytes }) => sizeBytes);
  return sizes.indexOf(which(...sizes));
}

function leastIndex(numbers: readonly number[]): number {
  return numbers.indexOf(Math.min(...numbers));
}
