/** The report of an experiment as one HTML file. */
import { banner, facts, figure, type Html, html, htmlTable, page, type Tone } from "../report/index.ts";
import type { ExperimentVerdict } from "./claims.ts";
import {
  CLAIM_COLUMNS,
  CLAIM_LEGEND,
  caution,
  type ExperimentReport,
  resultColumns,
  runFacts,
} from "./experiment-report.ts";

const TONES: Readonly<Record<ExperimentVerdict, Tone>> = {
  reproduced: "good",
  "partly reproduced": "caution",
  "not reproduced": "bad",
};

/** Returns a self-contained page. @param plots The plots of the report as SVG, in order. */
export function reportPage(report: ExperimentReport, plots: readonly Html[]): string {
  const { experiment, run, verdict, reasons, claims, tables, notes } = report;
  const warning = caution(run.scale);
  const madeWith = runFacts(report);
  return page({
    title: experiment.title,
    eyebrow: "reproduction",
    subtitle: html`${experiment.claim} <a href="${experiment.source.url}">${experiment.source.title}</a>, ${experiment.source.where}.`,
    banners: [
      ...(warning ? [banner("info", warning)] : []),
      banner(TONES[verdict], html`<b>${verdict}</b>: ${reasons[0]}`),
    ],
    sections: [
      {
        id: "results",
        title: "Ours beside the published",
        lead: experiment.published.note,
        body: tables.map((table) =>
          htmlTable(resultColumns(table), table.rows, {
            caption: html`<b>${table.title}</b>. ${table.note}`,
            sortable: false,
          }),
        ),
      },
      {
        id: "plots",
        title: "Plots",
        body: report.plots.map(({ title, caption }, i) => figure({ title, caption, svg: plots[i]!, wide: true })),
      },
      {
        id: "assertions",
        title: "Assertions",
        lead: CLAIM_LEGEND,
        body: [
          htmlTable(CLAIM_COLUMNS, claims, { caption: html`<b>${claims.length} assertions</b>`, sortable: false }),
          reasons.length > 1 &&
            html`<ul class="plain">${reasons.slice(1).map((reason) => html`<li>${reason}</li>`)}</ul>`,
        ],
      },
      {
        id: "design",
        title: "Design",
        lead: experiment.scales[run.scale].description,
        body: [notes.map((note) => html`<p>${note}</p>`), facts(madeWith)],
      },
    ],
    footer: madeWith.filter(({ name }) => ["modicum", "runtime", "seeds", "date"].includes(name)),
  });
}
