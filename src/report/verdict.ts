/** The conclusion of a report in one sentence, from measured numbers only. */
import type { Evaluation, QuantizationReport } from "../quantize/index.ts";
import { formatBytes, formatDecibels, formatFixed, formatMilliseconds, formatPercent, formatSigned } from "./format.ts";
import type { KeyNumber, Tone } from "./page.ts";

/** The float model and its quantized version, evaluated on the same data. */
export interface EvaluationPair {
  readonly reference: Evaluation;
  readonly quantized: Evaluation;
}

/** What is said first. */
export interface Verdict {
  readonly tone: Tone;
  /** Two to five words. */
  readonly headline: string;
  /** Sentences with the numbers. */
  readonly text: string;
  readonly numbers: readonly KeyNumber[];
}

/**
 * Returns the pair a report is about: the first evaluation is the float model; the quantized one has the report's output path, or
 * else is the second. Undefined when there are fewer than two.
 */
export function evaluationPair(
  report: QuantizationReport,
  evaluations: readonly Evaluation[],
): EvaluationPair | undefined {
  const [reference, ...others] = evaluations;
  const quantized = others.find(({ path }) => path === report.output.path) ?? others[0];
  return reference && quantized ? { reference, quantized } : undefined;
}

/** Returns what became of the model. Without evaluations it rests on the signal-to-noise ratio of the last layer measured. */
export function verdict(report: QuantizationReport, evaluations: readonly Evaluation[] = []): Verdict {
  const pair = evaluationPair(report, evaluations);
  const quality = pair ? measuredQuality(pair) : layerQuality(report);
  const ratio = report.output.sizeBytes / report.input.sizeBytes;
  const speed = pair ? latencyNumber(report, pair) : null;
  const size = report.deployable
    ? `${formatBytes(report.input.sizeBytes)} became ${formatBytes(report.output.sizeBytes)} (${formatFixed(ratio, 3)} ×)`
    : `A simulation: the file holds float arithmetic and is not made smaller (${formatBytes(report.output.sizeBytes)})`;
  const sizeCard: KeyNumber = report.deployable
    ? {
        label: "File size",
        value: formatBytes(report.output.sizeBytes),
        note: `${formatFixed(ratio, 3)} × of ${formatBytes(report.input.sizeBytes)}`,
      }
    : { label: "File size", value: "simulated", note: `float input: ${formatBytes(report.input.sizeBytes)}` };
  return {
    tone: quality.tone,
    headline: quality.headline,
    text: `${size}. ${quality.text}${speed ? ` ${speed.text}` : ""}`,
    numbers: [sizeCard, ...quality.numbers, ...(speed ? [speed.number] : [])],
  };
}

/**
 * Returns the standard error of the difference of two accuracies on the same samples, in percent points; null without them. The
 * difference is paired: samples on which both models give the same class add nothing, so with the share a of agreement its standard
 * error is at most sqrt((1 - a) / n). The smaller of that and the unpaired error is taken.
 */
export function differenceError({ reference, quantized }: EvaluationPair): number | null {
  const { top1StandardError: first } = reference;
  const { top1StandardError: second, agreement, count } = quantized;
  const unpaired = first === null || second === null ? null : Math.hypot(first, second);
  const paired = agreement === null ? null : 100 * Math.sqrt(Math.max(0, 1 - agreement / 100) / count);
  if (unpaired === null) return paired;
  return paired === null ? unpaired : Math.min(unpaired, paired);
}

function measuredQuality(pair: EvaluationPair): Verdict {
  const { reference, quantized } = pair;
  if (reference.top1 !== null && quantized.top1 !== null) return accuracyQuality(pair, reference.top1, quantized.top1);
  if (quantized.agreement !== null) {
    const agreement = formatPercent(quantized.agreement);
    return {
      ...byThreshold(
        quantized.agreement,
        [97, 88],
        ["Decisions kept", "Some decisions changed", "Many decisions changed"],
      ),
      text: `It decides as the float model does on ${agreement} of ${quantized.count} samples; without labels its accuracy is not known.`,
      numbers: [
        { label: "Same decision as float", value: agreement, note: `${quantized.count} samples, no labels` },
        ...sqnrNumber(quantized),
      ],
    };
  }
  const decibels = quantized.outputSqnrDb;
  return {
    ...byThreshold(decibels ?? 0, [25, 12], ["Outputs kept", "Outputs roughly kept", "Outputs changed"]),
    text:
      decibels === null
        ? "Accuracy was not measured."
        : `Its outputs keep a signal-to-noise ratio of ${formatDecibels(decibels)} against the float model on ${quantized.count} samples.`,
    numbers: sqnrNumber(quantized),
  };
}

function accuracyQuality(pair: EvaluationPair, reference: number, quantized: number): Verdict {
  const difference = quantized - reference;
  const error = differenceError(pair);
  const { count, agreement } = pair.quantized;
  const spread = error === null ? "" : ` ± ${formatFixed(error, 1)}`;
  const lost = -difference;
  return {
    ...byThreshold(-lost, [-1, -5], ["Accuracy kept", "Some accuracy lost", "Much accuracy lost"]),
    text: `Top-1 accuracy went from ${formatPercent(reference)} to ${formatPercent(quantized)} (${formatSigned(difference, 1)}${spread} points) on ${count} samples.`,
    numbers: [
      {
        label: "Top-1 accuracy",
        value: formatPercent(quantized),
        note: `± ${formatFixed(pair.quantized.top1StandardError, 1)} standard error, ${count} samples`,
      },
      {
        label: "Change of top-1",
        value: `${formatSigned(difference, 1)} pt`,
        note:
          error === null
            ? `float ${formatPercent(reference)}`
            : `± ${formatFixed(error, 1)} · float ${formatPercent(reference)}`,
      },
      ...(agreement === null
        ? []
        : [{ label: "Same decision as float", value: formatPercent(agreement), note: "top-1 class, same samples" }]),
    ],
  };
}

function layerQuality(report: QuantizationReport): Verdict {
  const measured = report.layers.filter((layer) => layer.sqnrDb !== null);
  const last = measured.at(-1)?.sqnrDb ?? null;
  if (last === null) {
    return { tone: "info", headline: "Accuracy not measured", text: "Accuracy was not measured.", numbers: [] };
  }
  return {
    ...byThreshold(last, [25, 12], ["Outputs kept", "Outputs roughly kept", "Outputs changed"]),
    text: `After the last layer the signal-to-noise ratio is ${formatDecibels(last)} on the calibration data; accuracy was not measured.`,
    numbers: [{ label: "SQNR after the last layer", value: formatDecibels(last), note: "on calibration data" }],
  };
}

function sqnrNumber({ outputSqnrDb }: Evaluation): KeyNumber[] {
  return outputSqnrDb === null
    ? []
    : [{ label: "SQNR of the outputs", value: formatDecibels(outputSqnrDb), note: "against the float model" }];
}

function latencyNumber(report: QuantizationReport, { reference, quantized }: EvaluationPair) {
  if (!report.deployable) return null;
  const ratio = quantized.latencyMs.median / reference.latencyMs.median;
  const value = `${formatFixed(ratio, 2)} ×`;
  const [before, after] = [reference, quantized].map(({ latencyMs }) => formatMilliseconds(latencyMs.median));
  return {
    text: `One sample takes ${after} instead of ${before} (${value}).`,
    number: { label: "Latency", value, note: `${after} instead of ${before}` },
  };
}

function byThreshold(
  value: number,
  [good, fair]: readonly [number, number],
  headlines: readonly [string, string, string],
): { tone: Tone; headline: string } {
  if (value >= good) return { tone: "good", headline: headlines[0] };
  return value >= fair ? { tone: "caution", headline: headlines[1] } : { tone: "bad", headline: headlines[2] };
}
