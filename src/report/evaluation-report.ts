/** The HTML page of an evaluation: several models on the same samples. */
import type { Evaluation } from "../quantize/index.ts";
import { formatBytes, formatFixed, formatMilliseconds, formatPercent, keepUnits } from "./format.ts";
import { type Html, html } from "./html.ts";
import { htmlTable } from "./html-table.ts";
import { EVALUATION_COLUMNS } from "./layer-columns.ts";
import { type Fact, figure, figureGrid, type KeyNumber, page } from "./page.ts";
import { accuracySizePlot, sizePlot } from "./plots/model-plots.ts";

/** Where and on what models were evaluated. */
export interface EvaluationReportDetails {
  readonly modicumVersion: string;
  /** As in `Runtime.description`. */
  readonly runtime: string;
  /** The samples, such as `pictures/: 500 pictures of 1000 classes`. */
  readonly dataset: string;
  /** ISO 8601. */
  readonly date: string;
  /** Of the draw of samples; left out when all were used. */
  readonly seed?: number;
}

/**
 * Returns a self-contained page with accuracy, size and speed of each model; agreement and output SQNR are against the first.
 *
 * @param evaluations At least one.
 */
export async function evaluationReportHtml(
  evaluations: readonly Evaluation[],
  details: EvaluationReportDetails,
): Promise<string> {
  const [first] = evaluations;
  const names = evaluations.map(({ path }) => path.split(/[\\/]/).at(-1)!);
  const rows = evaluations.map((evaluation, index) => ({ role: index === 0 ? "reference" : "compared", evaluation }));
  const footer: Fact[] = [
    { name: "modicum", value: details.modicumVersion },
    { name: "runtime", value: details.runtime },
    ...(details.seed === undefined ? [] : [{ name: "seed", value: details.seed }]),
    { name: "date", value: html`<time datetime="${details.date}">${details.date}</time>` },
  ];
  return page({
    title: names.length <= 3 ? names.join(", ") : `${names.length} models`,
    eyebrow: "evaluation",
    subtitle: details.dataset,
    numbers: evaluations.length <= 4 ? evaluations.map((evaluation, i) => keyNumber(names[i]!, evaluation)) : [],
    sections: [
      {
        id: "models",
        title: "Models",
        body: [
          htmlTable(EVALUATION_COLUMNS, rows, {
            caption: html`<b>${evaluations.length} ${evaluations.length === 1 ? "model" : "models"}</b> on the same ${first?.count ?? 0} samples. Latency is of one sample at batch 1.`,
          }),
          figureGrid(await evaluationFigures(evaluations, names)),
        ],
      },
    ],
    footer,
  });
}

async function evaluationFigures(evaluations: readonly Evaluation[], names: readonly string[]): Promise<Html[]> {
  const points = evaluations.map(({ sizeBytes, top1, top1StandardError }, i) => ({
    label: names[i]!,
    sizeBytes,
    accuracy: top1,
    standardError: top1StandardError,
    deployable: true,
  }));
  const known = points.flatMap((point) => (point.accuracy === null ? [] : [{ ...point, accuracy: point.accuracy }]));
  return [
    figure({ title: "Bytes", svg: await sizePlot(points) }),
    ...(known.length > 1
      ? [
          figure({
            title: "Accuracy against bytes",
            caption: "Up and left is better. Lines: one standard error each way.",
            svg: await accuracySizePlot(known),
          }),
        ]
      : []),
  ];
}

function keyNumber(label: string, { top1, top1StandardError, agreement, sizeBytes, latencyMs }: Evaluation): KeyNumber {
  const cost = `${formatBytes(sizeBytes)}, ${formatMilliseconds(latencyMs.median)}`;
  if (top1 !== null) {
    return { label, value: formatPercent(top1), note: keepUnits(`± ${formatFixed(top1StandardError, 1)} · ${cost}`) };
  }
  return agreement === null
    ? { label, value: formatMilliseconds(latencyMs.median), note: formatBytes(sizeBytes) }
    : { label, value: formatPercent(agreement), note: `agreement · ${cost}` };
}
