/** The sections of a quantization report. */

import type { Evaluation, LayerReport, QuantizationReport } from "../quantize/index.ts";
import { adviceFor, type WeightBitsFlags } from "./advice.ts";
import {
  formatBits,
  formatBytes,
  formatDecibels,
  formatFixed,
  formatPercent,
  formatSeconds,
  formatValue,
  keepUnits,
} from "./format.ts";
import { type Html, html } from "./html.ts";
import { htmlTable } from "./html-table.ts";
import { ladderColumns, NOTES_SHOWN } from "./ladder-columns.ts";
import {
  ABLATION_COLUMNS,
  type AblationRow,
  DIAGNOSIS_COLUMNS,
  EVALUATION_COLUMNS,
  LAYER_COLUMNS,
} from "./layer-columns.ts";
import { activationNoiseOf, calibrationKind, clippedPercent, diagnoseLayers } from "./layer-diagnosis.ts";
import { banner, details, type Fact, facts, figure, figureGrid, type LegendEntry, type Section, tag } from "./page.ts";
import { histogramPlot } from "./plots/histogram-plot.ts";
import { ladderPlot } from "./plots/ladder-plot.ts";
import { bitsColour, errorPlot, layerBitsPlot, layerSqnrPlot, type NumberedLayer } from "./plots/layer-plots.ts";
import { accuracySizePlot, sizePlot } from "./plots/model-plots.ts";

/** Most layers in one plot, histograms in one page, and of these shown unfolded: a page stays below a few megabytes. */
export const PAGE_LIMITS = { plottedLayers: 400, histograms: 96, openHistograms: 6 } as const;

/** Returns sizes, accuracy and speed of all models evaluated; undefined when none were. */
export async function comparisonSection(
  report: QuantizationReport,
  evaluations: readonly Evaluation[],
): Promise<Section> {
  const role = (evaluation: Evaluation, index: number): string =>
    index === 0
      ? "float"
      : evaluation.path !== report.output.path
        ? "other"
        : report.deployable
          ? "quantized"
          : "simulated";
  const rows = evaluations.map((evaluation, index) => ({ role: role(evaluation, index), evaluation }));
  const known = rows.filter(({ evaluation }) => evaluation.top1 !== null);
  const figures: Html[] = [];
  if (report.deployable) {
    const models =
      evaluations.length > 0
        ? evaluations.map(({ path, sizeBytes }) => ({ label: path, sizeBytes }))
        : [
            { label: report.input.path ?? "input", sizeBytes: report.input.sizeBytes },
            { label: report.output.path ?? "output", sizeBytes: report.output.sizeBytes },
          ];
    figures.push(figure({ title: "Bytes before and after", svg: await sizePlot(models) }));
  }
  if (known.length > 1) {
    const points = known.map(({ role, evaluation }) => ({
      label: role === "other" ? baseName(evaluation.path) : role,
      sizeBytes: evaluation.sizeBytes,
      accuracy: evaluation.top1 ?? 0,
      standardError: evaluation.top1StandardError,
      deployable: role !== "simulated",
    }));
    figures.push(
      figure({
        title: "Accuracy against bytes",
        caption: "Up and left is better. Lines: one standard error each way. Hollow: simulated.",
        svg: await accuracySizePlot(points),
      }),
    );
  }
  const caption = html`<b>${evaluations.length} models</b> on ${evaluations[0]?.count ?? 0} samples each. Latency is of one sample at batch 1.`;
  return {
    id: "comparison",
    title: "Before and after",
    lead:
      evaluations.length === 0 &&
      html`Accuracy and speed were not measured. <code>modicum compare</code> measures them, on labelled data or without.`,
    body: [
      evaluations.length > 0 && htmlTable(EVALUATION_COLUMNS, rows, { caption }),
      figures.length > 0 && figureGrid(figures),
    ],
  };
}

/** Returns what each refinement brought; undefined when there were none. */
export async function ladderSection({ ladder }: QuantizationReport): Promise<Section | undefined> {
  if (ladder.length === 0) return undefined;
  return {
    id: "ladder",
    title: "What each rung brought",
    lead: "From plain min-max up. A rung is kept only if the model's outputs on samples it was not fitted to are at least as close to the float model's.",
    body: [
      figure({
        title: "Signal to noise of the outputs",
        caption: "Higher is closer to float: 6 dB are half the error. Hollow: tried, and left out of the model.",
        svg: await ladderPlot(ladder),
        wide: true,
      }),
      htmlTable(ladderColumns(ladder), ladder, {
        caption: html`<b>${ladder.length} rungs</b>, each on the best before it.`,
      }),
      ...ladder
        .filter(({ notes }) => notes.length > NOTES_SHOWN)
        .map(({ name, notes }) =>
          details(`Notes on ${name}`, html`<ul>${notes.map((note) => html`<li>${note}</li>`)}</ul>`),
        ),
    ],
  };
}

/** Returns a study's rows, those that can be deployed and those only simulated in tables of their own. */
export function ablationSection(rows: readonly AblationRow[]): Section {
  const deployable = rows.filter((row) => row.deployable);
  const simulated = rows.filter((row) => !row.deployable);
  return {
    id: "ablation",
    title: "What each ingredient gives",
    body: [
      deployable.length > 0 &&
        htmlTable(ABLATION_COLUMNS, deployable, {
          caption: html`<b>Deployable</b>: integer arithmetic, measured as it ships.`,
        }),
      simulated.length > 0 &&
        htmlTable(ABLATION_COLUMNS, simulated, {
          caption: html`<b>Simulated</b>: float arithmetic that computes what such hardware would. No size or speed follows from it.`,
        }),
    ],
  };
}

/** Returns the layers that lose most and what to do about them. */
export function adviceSection(report: QuantizationReport, weightBitsFlags?: WeightBitsFlags): Section {
  const found = diagnoseLayers(report);
  const base = { id: "advice", title: "Layers that hurt most" };
  if (found.length === 0) {
    return { ...base, body: html`<p class="empty">No layer adds more noise than 8-bit rounding does.</p>` };
  }
  const advice = adviceFor(report, found, weightBitsFlags).map(
    ({ text, flags, layers }) =>
      html`<li><p>${text} <span class="quiet">${layers.length === 1 ? "Layer" : "Layers"} ${layers.join(", ")}.</span></p>${flags && html`<pre>${flags}</pre>`}</li>`,
  );
  return {
    ...base,
    lead: "By the noise each adds of its own, not counting what reaches it from earlier layers.",
    body: [
      advice.length > 0 && html`<ol class="advice">${advice}</ol>`,
      htmlTable(DIAGNOSIS_COLUMNS, found, {
        caption:
          found.length === 1 ? "The noisiest layer." : html`<b>The ${found.length} noisiest layers</b>, worst first.`,
      }),
    ],
  };
}

/** Returns plots and table of all layers. */
export async function layersSection(layers: readonly NumberedLayer[]): Promise<Section> {
  const { plottedLayers } = PAGE_LIMITS;
  const plotted = layers.slice(0, plottedLayers);
  const truncated =
    layers.length > plotted.length &&
    html`<p class="truncated">Plots show the first ${plotted.length} of ${layers.length} layers.</p>`;
  const error = await errorPlot(plotted);
  return {
    id: "layers",
    title: "Layer by layer",
    lead: "Numbers under the bars are those of the table; the three lowest carry theirs above.",
    body: [
      figure({
        title: "Signal to noise after each layer",
        caption:
          "Quantized against float on calibration data, in decibels: 6 dB are one bit. Errors add up from left to right.",
        legend: bitsLegend(plotted),
        svg: await layerSqnrPlot(plotted),
        wide: true,
      }),
      figure({
        title: "Bits of each layer",
        caption: "Bars: weights. Dots: the activation that leaves the layer.",
        legend: [...bitsLegend(plotted), { label: "activation", colour: "var(--series-2)", shape: "dot" }],
        svg: await layerBitsPlot(plotted),
        wide: true,
      }),
      truncated,
      htmlTable(LAYER_COLUMNS, layers, {
        caption: html`<b>${layers.length} layers</b> in the order of the model. Headings sort.`,
      }),
      error &&
        figureGrid([
          figure({
            title: "Predicted and measured error of activations",
            caption:
              "Mean squared error of each clipping range. On the line the assumed distribution is right; above it the tail is heavier.",
            svg: error,
          }),
        ]),
    ],
  };
}

/** Returns the distributions of activations with their clips, worst first. */
export async function histogramsSection(layers: readonly NumberedLayer[]): Promise<Section | undefined> {
  const { histograms, openHistograms } = PAGE_LIMITS;
  const ranked = layers
    .filter(({ layer }) => layer.activation?.histogram)
    .map((entry) => ({ ...entry, noise: activationNoiseOf(entry.layer.activation) }))
    .sort((a, b) => b.noise - a.noise);
  if (ranked.length === 0) return undefined;
  const figures: Html[] = [];
  for (const { number, layer, noise } of ranked.slice(0, histograms))
    figures.push(await histogramFigure(number, layer, noise));
  const legend = html`<ul class="legend"><li><i style="--swatch:var(--series-1)"></i>kept</li><li><i style="--swatch:var(--series-2)"></i>clipped</li><li><i style="--swatch:var(--series-0)"></i>zeroed by the ReLU</li><li><i class="rule" style="--swatch:var(--series-2)"></i>clip</li></ul>`;
  const rest = figures.slice(openHistograms);
  const left = ranked.length - figures.length;
  return {
    id: "histograms",
    title: "Activations and their clips",
    lead: html`Share of values on a logarithmic scale, largest error first. A good clip cuts a thin tail: it trades a few large errors for finer steps everywhere else.`,
    body: [
      legend,
      figureGrid(figures.slice(0, openHistograms)),
      rest.length > 0 && details(`${rest.length} more activations`, figureGrid(rest)),
      left > 0 &&
        html`<p class="truncated">${left} activations with smaller errors are left out to keep the page small; the JSON report has them.</p>`,
    ],
  };
}

async function histogramFigure(number: number, layer: LayerReport, noise: number): Promise<Html> {
  const activation = layer.activation!;
  const clipped = clippedPercent(activation);
  const error = noise > 0 ? formatDecibels(-10 * Math.log10(noise)) : "error not measured";
  const bits = activation.channelBits
    ? `${formatBits(layer.activationBits)} bits on average`
    : `${formatBits(layer.activationBits)} bits`;
  return figure({
    title: html`${number}. <code>${layer.name}</code>`,
    caption: keepUnits(
      `${activation.side}, ${activation.method}, ${bits} · ${error}${clipped === null ? "" : ` · ${formatPercent(clipped, clipped > 0 && clipped < 0.1 ? 3 : 1)} clipped`}${activation.entropyBits === null ? "" : ` · entropy ${formatFixed(activation.entropyBits, 2)} bits`}`,
    ),
    svg: await histogramPlot({
      name: activation.name,
      histogram: activation.histogram!,
      clipLow: activation.clipLow,
      clipHigh: activation.clipHigh,
      side: activation.side,
    }),
  });
}

const CALIBRATION_KINDS = {
  data: undefined,
  "data-free": tag("caution", "data-free"),
  synthetic: tag("caution", "synthetic input"),
} as const;

/** Returns what was asked for, what the ranges rest on, and what else the user should know. */
export function settingsSection(report: QuantizationReport): Section {
  const { input, output, calibration } = report;
  const kind = calibrationKind(report);
  const items: Fact[] = [
    {
      name: "Target",
      value: report.deployable ? report.target : tag("caution", "none, simulated"),
    },
    ...Object.entries(report.settings)
      .filter(([name]) => name !== "target")
      .map(([name, value]) => ({ name, value: html`<code>${String(value)}</code>` })),
    {
      name: "Calibrated on",
      value: html`${calibration.source} ${CALIBRATION_KINDS[kind]} · ${calibration.samples} samples`,
    },
    { name: "Mean weight bits", value: formatFixed(report.meanWeightBits, 2) },
    {
      name: "Preparation",
      value:
        report.preparationDifference === null
          ? "outputs not compared"
          : `outputs differ by at most ${formatValue(report.preparationDifference)} before quantization`,
    },
    {
      name: "Time and memory",
      value: `${formatSeconds(report.seconds)}${report.peakMemoryBytes === null ? "" : `, ${formatBytes(report.peakMemoryBytes)} at most`}`,
    },
    {
      name: "Input",
      value: html`<code>${input.path ?? "in memory"}</code>, ${formatBytes(input.sizeBytes)}, sha256 <code>${input.sha256}</code>`,
    },
    { name: "Output", value: html`<code>${output.path ?? "in memory"}</code>, ${formatBytes(output.sizeBytes)}` },
  ];
  return {
    id: "settings",
    title: "Settings and remarks",
    body: [
      report.remarks.length > 0 &&
        html`<ul class="plain">${report.remarks.map((remark) => html`<li>${remark}</li>`)}</ul>`,
      facts(items),
    ],
  };
}

/** Returns the banners that must not be missed: simulation, and ranges that rest on no real data. */
export function warningBanners(report: QuantizationReport): Html[] {
  const kind = calibrationKind(report);
  return [
    ...(report.deployable
      ? []
      : [
          banner(
            "caution",
            html`<b>Simulated.</b> This model computes in float what quantized hardware would. It shows accuracy; its size and speed mean nothing, and it must not be compared with deployable models.`,
          ),
        ]),
    ...(kind === "data"
      ? []
      : [
          banner(
            "caution",
            kind === "synthetic"
              ? html`<b>Synthetic calibration.</b> Activation ranges come from made-up input, not from data. Give a few real samples with <code>--calibrate</code>.`
              : html`<b>Data-free calibration.</b> Activation ranges come from statistics stored in the model, not from data. A few real samples with <code>--calibrate</code> usually give more accuracy.`,
          ),
        ]),
  ];
}

function bitsLegend(layers: readonly NumberedLayer[]): LegendEntry[] {
  const byColour = new Map<string, Set<string>>();
  for (const bits of layers.map(({ layer }) => layer.weightBits).sort((a, b) => a - b)) {
    const label = bits >= 16 ? "float" : formatBits(Math.round(bits));
    byColour.set(bitsColour(bits), (byColour.get(bitsColour(bits)) ?? new Set()).add(label));
  }
  return [...byColour].map(([colour, labels]) => ({
    colour,
    label: `weights ${[...labels].join(", ")}${labels.has("float") ? "" : " bits"}`,
  }));
}

function baseName(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path;
}
