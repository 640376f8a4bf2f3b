/** The part of a report that shows how bits of layers were chosen within limits. */
import type { LayerWidthsReport, LimitTrial, MixedPrecisionReport } from "../quantize/index.ts";
import type { Column } from "./column.ts";
import { formatBits, formatBytes, formatFixed, formatMilliseconds } from "./format.ts";
import { html } from "./html.ts";
import { htmlTable } from "./html-table.ts";
import { details, type Section } from "./page.ts";

/** Returns the limits in words, such as `500 kB, 3.5 ms`. */
export function limitsText({ limits, dropMeasure }: MixedPrecisionReport): string {
  const { sizeBytes, latencyMs, maxDrop } = limits;
  const parts = [
    sizeBytes === null ? "" : formatBytes(sizeBytes),
    latencyMs === null ? "" : formatMilliseconds(latencyMs),
    maxDrop === null ? "" : `${maxDrop} points of ${dropMeasure}`,
  ];
  return `at most ${parts.filter((part) => part !== "").join(" and ")}`;
}

/** Returns how many layers have each width, such as `3 layers of 2 bits, 5 of 4 bits`. */
export function widthsText({ layers }: MixedPrecisionReport): string {
  const counts = new Map<number, number>();
  for (const { bits, names } of layers) counts.set(bits, (counts.get(bits) ?? 0) + names.length);
  const sorted = [...counts].sort(([a], [b]) => a - b);
  return sorted
    .map(([bits, count], i) => `${count}${i > 0 ? "" : count === 1 ? " layer" : " layers"} ${widthText(bits)}`)
    .join(", ");
}

function widthText(bits: number): string {
  return bits === FLOAT ? "in float" : `of ${bits} bits`;
}

/** Bits that stand for float. */
const FLOAT = 16;

/** Returns the limits, every layer with its bits and what each width would have cost, and the models made on the way. */
export function mixedPrecisionSection(report: MixedPrecisionReport | null): Section | undefined {
  if (!report) return undefined;
  const { layers, trials, errorMeasure, samples } = report;
  return {
    id: "mixed-precision",
    title: "Bits of each layer, and why",
    lead: `Limits: ${limitsText(report)}. ${widthsText(report)}.`,
    body: [
      htmlTable(layerColumns(layers), layers, {
        caption: html`<b>What each width of a layer does alone</b>: ${errorMeasure}, on ${samples} samples, all other layers in float. The bits in the second column have the least sum within the limits.`,
      }),
      trials.length > 0 &&
        details(
          `${trials.length} ${trials.length === 1 ? "model" : "models"} made and measured`,
          htmlTable(trialColumns(report), trials, { caption: "In the order of the search." }),
        ),
    ],
  };
}

function layerColumns(layers: readonly LayerWidthsReport[]): readonly Column<LayerWidthsReport>[] {
  const widths = [...new Set(layers.flatMap((layer) => layer.widths.map(({ bits }) => bits)))].sort((a, b) => a - b);
  const optionOf = (layer: LayerWidthsReport, bits: number) => layer.widths.find((option) => option.bits === bits);
  const scientific = (value: number): string => (value === 0 ? "0" : value.toExponential(1));
  const hasLatency = layers.some((layer) => layer.widths.some(({ latencyMs }) => latencyMs !== null));
  return [
    { header: "Layer", value: ({ names }) => names.join(", "), code: true },
    { header: "Bits", value: ({ bits }) => bits, format: formatBits, help: "Bits of the weights that were chosen." },
    { header: "Bytes", value: (layer) => optionOf(layer, layer.bits)!.sizeBytes, format: formatBytes },
    ...(hasLatency
      ? [
          {
            header: "Time",
            value: (layer: LayerWidthsReport) => optionOf(layer, layer.bits)!.latencyMs,
            format: formatMilliseconds,
            help: "Of the layer alone, in the form chosen.",
          },
        ]
      : []),
    ...widths
      .filter((bits) => bits !== FLOAT)
      .map(
        (bits): Column<LayerWidthsReport> => ({
          header: `Error at ${bits}`,
          value: (layer) => optionOf(layer, bits)?.error ?? null,
          format: scientific,
        }),
      ),
  ];
}

function trialColumns({ dropMeasure, limits }: MixedPrecisionReport): readonly Column<LimitTrial>[] {
  return [
    { header: "Size", value: ({ sizeBytes }) => sizeBytes, format: formatBytes },
    ...(dropMeasure === null
      ? []
      : [
          {
            header: "Points lost",
            value: ({ drop }: LimitTrial) => drop,
            format: (points: number) => formatFixed(points, 2),
            help: `Of ${dropMeasure}.`,
          },
        ]),
    ...(limits.latencyMs === null
      ? []
      : [{ header: "Latency", value: ({ latencyMs }: LimitTrial) => latencyMs, format: formatMilliseconds }]),
    { header: "Kept", value: ({ kept }) => (kept ? "yes" : "no") },
  ];
}
