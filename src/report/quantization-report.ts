/** The HTML report of a quantization: what a tired engineer wants to know, in that order. */

import type { Evaluation, QuantizationReport } from "../quantize/index.ts";
import type { WeightBitsFlags } from "./advice.ts";
import { keepUnits } from "./format.ts";
import { html } from "./html.ts";
import type { AblationRow } from "./layer-columns.ts";
import { mixedPrecisionSection } from "./mixed-precision-section.ts";
import { banner, page, type Section } from "./page.ts";
import { type PictureSheet, picturesSection } from "./picture-section.ts";
import {
  ablationSection,
  adviceSection,
  comparisonSection,
  histogramsSection,
  ladderSection,
  layersSection,
  settingsSection,
  warningBanners,
} from "./quantization-sections.ts";
import { verdict } from "./verdict.ts";

/** What goes into a report besides the quantization and its evaluations. */
export interface ReportExtras {
  /** Returns the flags that set the weight bits of layers by name, for the advice on single layers. */
  readonly weightBitsFlags?: WeightBitsFlags;
  /** A study of the method's ingredients on this model; deployable and simulated rows get tables of their own. */
  readonly ablation?: readonly AblationRow[];
  /** The pictures that ranges were chosen by, where they were synthesized. */
  readonly pictures?: PictureSheet | undefined;
}

/**
 * Returns the report as one self-contained HTML page: the verdict and its numbers, before and after, the layers that hurt most and
 * what to do about them, every layer, the distributions with their clips, and the settings.
 *
 * Plots are capped (400 layers, 96 histograms) and tables too (2000 rows); the page says so where it happens.
 *
 * @param evaluations The float model first, then the quantized one, then any others; none when nothing was measured.
 */
export async function quantizationReportHtml(
  report: QuantizationReport,
  evaluations: readonly Evaluation[] = [],
  extras: ReportExtras = {},
): Promise<string> {
  const { ablation = [], weightBitsFlags, pictures } = extras;
  const layers = report.layers.map((layer, index) => ({ number: index + 1, layer }));
  const { headline, text, tone, numbers } = verdict(report, evaluations);
  const sections: (Section | undefined)[] = [
    await comparisonSection(report, evaluations),
    pictures && picturesSection(pictures),
    await ladderSection(report),
    mixedPrecisionSection(report.mixedPrecision),
    ablation.length > 0 ? ablationSection(ablation) : undefined,
    adviceSection(report, weightBitsFlags),
    await layersSection(layers),
    await histogramsSection(layers),
    settingsSection(report),
  ];
  return page({
    title: modelName(report),
    eyebrow: `quantization report · ${describeBits(report)}, ${report.deployable ? `for ${report.target}` : "simulated"}`,
    numbers,
    banners: [banner(tone, html`<b>${headline}.</b> ${keepUnits(text)}`), ...warningBanners(report)],
    sections: sections.filter((section) => section !== undefined),
    footer: [
      { name: "modicum", value: report.modicumVersion },
      { name: "runtime", value: report.runtime },
      { name: "seed", value: String(report.settings.seed ?? "none") },
      { name: "date", value: html`<time datetime="${report.date}">${report.date}</time>` },
    ],
  });
}

/** `4-bit weights, 8-bit activations`. */
export function describeBits({ settings }: Pick<QuantizationReport, "settings">): string {
  const describe = (value: unknown, what: string): string =>
    typeof value === "number" && value < 16 ? `${value}-bit ${what}` : `float ${what}`;
  return `${describe(settings.weights, "weights")}, ${describe(settings.activations, "activations")}`;
}

function modelName(report: QuantizationReport): string {
  return (report.output.path ?? report.input.path ?? "Quantized model").split(/[\\/]/).at(-1)!;
}
