/** The HTML page of training runs: curves side by side, what sets the runs apart, and which classes they confuse. */
import { formatFixed, formatPercent, formatSeconds, formatValue } from "../format.ts";
import { type Html, html, trustedHtml } from "../html.ts";
import { htmlTable } from "../html-table.ts";
import { banner, details, figure, figureGrid, type KeyNumber, page, type Section } from "../page.ts";
import { confusionPlot } from "../plots/confusion-plot.ts";
import {
  CURVE_FRAME,
  type CurveScale,
  type CurveStyle,
  curvePlot,
  linearScale,
  logScale,
  MOST_DOTS,
} from "../plots/curve-plot.ts";
import { recipeRows } from "./recipe-table.ts";
import { decidingEvaluations, type ReportedRun, RUN_COLUMNS, type RunSummary, summarizeRun } from "./reported-run.ts";
import { CURVE_AXES, CURVE_GROUPS, type CurveAxis, type CurveChart, curveCharts } from "./run-curves.ts";
import { RUNS_PAGE_SCRIPT } from "./runs-page-script.ts";
import { RUNS_PAGE_STYLE } from "./runs-page-style.ts";

/** What stands at the foot of the page. */
export interface RunsPageDetails {
  readonly modicumVersion: string;
  /** ISO 8601. */
  readonly date: string;
}

/**
 * Returns a self-contained page that compares training runs: a table, curves of everything they report with a choice of axes
 * and runs, the keys their recipes differ in, and confusion matrices. Nothing is loaded from anywhere.
 *
 * @param runs At least one.
 */
export async function runsPageHtml(runs: readonly ReportedRun[], details: RunsPageDetails): Promise<string> {
  const summaries = runs.map(summarizeRun);
  const charts = curveCharts(runs);
  const empty = runs.filter(({ events }) => events.length === 0).map(({ name }) => name);
  return page({
    title: runs.length === 1 ? runs[0]!.name : `${runs.length} training runs`,
    eyebrow: "training",
    subtitle: subtitle(summaries),
    numbers: runs.length <= 4 ? summaries.map(keyNumber) : [],
    banners: empty.length > 0 ? [banner("info", `Nothing is on record yet of ${empty.join(", ")}.`)] : [],
    sections: [
      {
        id: "runs",
        title: "Runs",
        body: htmlTable(RUN_COLUMNS, summaries, {
          caption: "A row for each run. Time is that of work, resumed runs included.",
        }),
      },
      ...(charts.length > 0 ? [await curvesSection(runs, charts)] : []),
      recipeSection(runs),
      ...(await confusionSections(runs)),
    ],
    footer: [
      { name: "modicum", value: details.modicumVersion },
      { name: "date", value: html`<time datetime="${details.date}">${details.date}</time>` },
    ],
  });
}

function subtitle(summaries: readonly RunSummary[]): string {
  const known = summaries.filter(({ bestTop1 }) => bestTop1 !== null);
  if (known.length === 0) return "No evaluation yet.";
  const best = known.reduce((a, b) => (b.bestTop1! > a.bestTop1! ? b : a));
  const who = summaries.length === 1 ? `${best.model} on ${best.data.split(":")[0]}` : `${best.name} (${best.model})`;
  return `Best top-1: ${formatPercent(best.bestTop1, 2)}, ${who}, after ${formatFixed(best.bestEpoch, 0)} epochs.`;
}

function keyNumber({ name, bestTop1, lastLoss, epochs, totalEpochs, seconds, state }: RunSummary): KeyNumber {
  const course = `${Number(epochs.toFixed(1))} of ${totalEpochs} epochs · ${formatSeconds(seconds)} · ${state}`;
  if (bestTop1 !== null) return { label: name, value: formatPercent(bestTop1, 2), note: course };
  return { label: name, value: lastLoss === null ? "–" : `loss ${formatValue(lastLoss)}`, note: course };
}

/** Five colours can be told apart with certainty; beyond those, lines have dashes. */
function styleOf(run: number): CurveStyle {
  return {
    colour: `var(--series-${1 + (run % 5)})`,
    dashes: [undefined, "6 3", "2 3", "9 3 2 3"][Math.floor(run / 5) % 4],
  };
}

function swatch({ colour, dashes }: CurveStyle): Html {
  return html`<svg class="swatch" viewBox="0 0 24 12" aria-hidden="true"><path d="M1 6H23" stroke="${colour}" stroke-width="3" ${
    dashes !== undefined && html`stroke-dasharray="${dashes}"`
  }/></svg>`;
}

async function curvesSection(runs: readonly ReportedRun[], charts: readonly CurveChart[]): Promise<Section> {
  const styles = runs.map((_, i) => styleOf(i));
  const unit = timeUnit(charts);
  const scaled = charts.map((chart) => inUnit(chart, unit)).map((chart) => ({ ...chart, ...scalesOf(chart) }));
  const figures = await Promise.all(scaled.map((chart, i) => chartFigure(chart, i, { runs, styles, unit })));
  const data = {
    runs: runs.map(({ name }, i) => ({ name, ...styles[i]! })),
    frame: CURVE_FRAME,
    mostDots: MOST_DOTS,
    timeUnit: unit,
    charts: scaled.map(({ title, curves, x, y }) => ({ title, curves, x, y })),
  };
  return {
    id: "curves",
    title: "Curves",
    lead: "Loss, accuracy and norms are means over the steps since the last report, or those of an evaluation.",
    body: [
      html`<style>${trustedHtml(RUNS_PAGE_STYLE)}</style>`,
      html`<div class="choices"><ul aria-label="Runs">${runs.map(({ name }, i) => html`<li>${swatch(styles[i]!)}${name}</li>`)}</ul>${radios("x-axis", "over", CURVE_AXES)}${radios("y-axis", "scale", ["linear", "log"])}</div>`,
      CURVE_GROUPS.map((group) => {
        const members = figures.filter((_, i) => scaled[i]!.group === group);
        return members.length > 0 && [html`<h3>${group}</h3>`, figureGrid(members)];
      }),
      html`<script type="application/json" id="curve-data">${jsonInScript(data)}</script>`,
      html`<script>${trustedHtml(RUNS_PAGE_SCRIPT)}</script>`,
    ],
  };
}

/** Hidden until the script is there: without it they would do nothing. */
function radios(name: string, legend: string, values: readonly string[]): Html {
  return html`<fieldset hidden><legend>${legend}</legend>${values.map(
    (value, i) =>
      html`<label><input type="radio" name="${name}" value="${value}"${i === 0 && trustedHtml(" checked")}><span>${value}</span></label>`,
  )}</fieldset>`;
}

/** Within a script element nothing is escaped, and `</script>` would end it. */
function jsonInScript(value: unknown): Html {
  return trustedHtml(JSON.stringify(value).replaceAll("<", "\\u003c"));
}

/** What times are written in. */
interface TimeUnit {
  readonly name: "seconds" | "minutes" | "hours";
  readonly seconds: number;
}

function timeUnit(charts: readonly CurveChart[]): TimeUnit {
  const longest = Math.max(...charts.flatMap(({ curves }) => curves.flatMap(({ x }) => x.time)));
  if (longest < 300) return { name: "seconds", seconds: 1 };
  return longest < 3 * 3600 ? { name: "minutes", seconds: 60 } : { name: "hours", seconds: 3600 };
}

function inUnit(chart: CurveChart, { seconds }: TimeUnit): CurveChart {
  const convert = (time: readonly number[]): number[] => time.map((value) => Number((value / seconds).toPrecision(6)));
  return {
    ...chart,
    curves: chart.curves.map((curve) => ({ ...curve, x: { ...curve.x, time: convert(curve.x.time) } })),
  };
}

interface ChartScales {
  readonly x: Readonly<Record<CurveAxis, CurveScale>>;
  readonly y: { readonly linear: CurveScale; readonly log?: CurveScale };
}

function scalesOf({ group, curves }: CurveChart): ChartScales {
  const values = curves.flatMap(({ y }) => y);
  const log = group === "Accuracy" ? undefined : logScale(values);
  const linear = linearScale(values);
  const [low, high] = linear.domain;
  return {
    x: Object.fromEntries(
      CURVE_AXES.map((axis) => [axis, axisScale(curves.flatMap(({ x }) => x[axis]))]),
    ) as ChartScales["x"],
    y: {
      linear: group === "Accuracy" ? { type: "linear", domain: [low, Math.min(high, 100)] } : linear,
      ...(log && { log }),
    },
  };
}

/** From the start of the runs, so that their lengths can be compared. */
function axisScale(values: readonly number[]): CurveScale {
  return { type: "linear", domain: [0, Math.max(...values.map((value) => value), 1e-9)] };
}

async function chartFigure(
  chart: CurveChart & ChartScales,
  index: number,
  {
    runs,
    styles,
    unit,
  }: { readonly runs: readonly ReportedRun[]; readonly styles: readonly CurveStyle[]; readonly unit: TimeUnit },
): Promise<Html> {
  const variants: Html[] = [];
  for (const axis of CURVE_AXES) {
    for (const scale of ["linear", "log"] as const) {
      const y = chart.y[scale];
      if (y === undefined) continue;
      const isFirst = axis === CURVE_AXES[0] && scale === "linear";
      const plot = await curvePlot({
        description: `${chart.title} over ${axis}, ${scale}: ${chart.curves.map((curve) => `${runs[curve.run]!.name} ends at ${formatValue(curve.y.at(-1)!)}`).join(", ")}`,
        x: { ...chart.x[axis], label: axis === "time" ? unit.name : axis },
        y,
        // The script draws the others when they are asked for.
        curves: isFirst
          ? chart.curves.map((curve) => ({ x: curve.x[axis], y: curve.y, style: styles[curve.run]! }))
          : [],
      });
      variants.push(
        html`<div class="axes" data-x="${axis}" data-y="${scale}" tabindex="0"${!isFirst && trustedHtml(" hidden")}>${plot}</div>`,
      );
    }
  }
  return figure({ title: chart.title, svg: html`<div class="chart" data-chart="${index}">${variants}</div>` });
}

function recipeSection(runs: readonly ReportedRun[]): Section {
  const columns = [
    { header: "key", value: ({ key }: { key: string }) => key, code: true },
    ...runs.map(({ name }, i) => ({
      header: name,
      value: ({ values }: { values: readonly (string | null)[] }) => values[i] ?? null,
    })),
  ];
  const all = htmlTable(columns, recipeRows(runs, { all: true }), {
    caption: "Every key, defaults included.",
    sortable: false,
  });
  if (runs.length === 1)
    return { id: "recipe", title: "Recipe", lead: runs[0]!.description.dataDescription, body: all };
  const different = recipeRows(runs);
  return {
    id: "differences",
    title: "Differences between recipes",
    body: [
      different.length === 0
        ? html`<p class="empty">None: the runs have the same recipe, data and versions.</p>`
        : htmlTable(columns, different, { caption: "Only keys in which the runs differ.", sortable: false }),
      details("Complete recipes", all),
    ],
  };
}

async function confusionSections(runs: readonly ReportedRun[]): Promise<Section[]> {
  const figures: Html[] = [];
  for (const { name, description, events } of runs) {
    const last = decidingEvaluations(events).findLast(({ confusion }) => confusion !== undefined);
    if (last?.confusion === undefined) continue;
    figures.push(
      figure({
        title: name,
        caption: `After ${Number(last.epoch.toFixed(2))} epochs: ${last.count} ${last.split} samples, ${formatPercent(last.top1, 2)} right.`,
        svg: await confusionPlot(last.confusion, description.classNames),
      }),
    );
  }
  if (figures.length === 0) return [];
  return [
    {
      id: "confusion",
      title: "Confusion",
      lead: "Rows are true classes, columns decisions; percent of the row. Blue is right. Orange are errors, the darkest the most frequent of that run.",
      body: figureGrid(figures),
    },
  ];
}
