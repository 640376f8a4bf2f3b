/** Lines over a few conditions or many epochs, with standard errors: the plot most experiments need. */
import type * as ObservablePlot from "@observablehq/plot";
import { type Html, openDrawing, type PlotLibrary } from "../report/index.ts";

/** A plot of an experiment. */
export interface ResultPlot {
  /** Ending of its file's name: letters, digits and hyphens. */
  readonly id: string;
  readonly title: string;
  /** What is to be seen, and how to read it. */
  readonly caption: string;
  /** Returns Observable Plot's options. Colours are `var(--series-1)` to `var(--series-5)`, grey is `var(--series-0)`. */
  readonly options: (Plot: PlotLibrary) => ObservablePlot.PlotOptions & { readonly ariaLabel: string };
}

/** One point of a line. */
export interface LinePoint {
  readonly series: string;
  readonly x: number;
  readonly y: number;
  /** Drawn as a bar of one standard error each way. */
  readonly standardError?: number | null;
}

/** What `linePlot` draws. */
export interface LinePlotParts extends Omit<ResultPlot, "options"> {
  readonly points: readonly LinePoint[];
  readonly xLabel: string;
  readonly yLabel: string;
  /** Ticks of the x axis; from left to right as they stand. Default: chosen by the library. */
  readonly ticks?: readonly number[];
  /** Published or otherwise known values, as dashed lines. */
  readonly references?: readonly { readonly label: string; readonly y: number }[];
}

const COLOURS = [
  "var(--series-1)",
  "var(--series-2)",
  "var(--series-3)",
  "var(--series-4)",
  "var(--series-5)",
  "var(--series-0)",
];
const SYMBOLS = ["circle", "square", "triangle", "diamond", "star", "wye"] as const;

/** Draws a plot of an experiment as SVG in the style of Modicum's pages. */
export async function drawResultPlot({ options }: ResultPlot): Promise<Html> {
  const { Plot, draw } = await openDrawing();
  return draw(options(Plot));
}

/** Describes a plot of up to six lines, told apart by colour and by the shape of their points. */
export function linePlot(parts: LinePlotParts): ResultPlot {
  const { id, title, caption, points, xLabel, yLabel, ticks, references = [] } = parts;
  const series = [...new Set(points.map((point) => point.series))];
  const index = ({ series: name }: LinePoint): number => series.indexOf(name) % COLOURS.length;
  const colour = (point: LinePoint): string => COLOURS[index(point)]!;
  const uncertain = points.filter(({ standardError }) => (standardError ?? 0) > 0);
  const first = ticks?.[0];
  const reversed = first !== undefined && first > ticks!.at(-1)!;
  const options: ResultPlot["options"] = (Plot) => ({
    ariaLabel: `${title}: ${series.map((name) => `${name} ${describeLast(points, name)}`).join("; ")}`,
    width: 720,
    height: 340,
    marginLeft: 48,
    marginRight: 230,
    marginTop: 22,
    marginBottom: 40,
    x: {
      label: xLabel,
      labelAnchor: "center",
      labelArrow: "none",
      ticks: ticks ? [...ticks] : 8,
      tickFormat: "d",
      tickSize: 4,
      reverse: reversed,
      insetLeft: 12,
      insetRight: 12,
    },
    y: { label: yLabel, grid: true, ticks: 6, tickSize: 0, nice: true },
    marks: [
      Plot.ruleY(references, { y: "y", stroke: "currentColor", strokeDasharray: "3,4" }),
      Plot.ruleX(uncertain, {
        x: "x",
        y1: (point: LinePoint) => point.y - point.standardError!,
        y2: (point: LinePoint) => point.y + point.standardError!,
        stroke: colour,
        strokeWidth: 1.5,
      } as object),
      Plot.lineY(points, { x: "x", y: "y", z: "series", stroke: colour, strokeWidth: 1.75 } as object),
      Plot.dot(points, {
        x: "x",
        y: "y",
        r: points.length > 60 ? 2 : 4,
        symbol: (point: LinePoint) => SYMBOLS[index(point)]!,
        fill: colour,
        title: (point: LinePoint) => `${point.series}: ${point.y.toFixed(2)} at ${point.x}`,
      } as object),
      ...legend(Plot, [
        ...series.map((name, i) => ({
          text: `${"●■▲◆★Y"[i % SYMBOLS.length]} ${name}`,
          fill: COLOURS[i % COLOURS.length]!,
        })),
        ...references.map(({ label, y }) => ({ text: `- - ${label} ${y}`, fill: "currentColor" })),
      ]),
    ],
    symbol: { type: "identity" } as object,
  });
  return { id, title, caption, options };
}

/** A line of text for each series, in the right margin. */
function legend(Plot: PlotLibrary, lines: readonly { readonly text: string; readonly fill: string }[]) {
  return lines.map(({ text, fill }, i) =>
    Plot.text([text], {
      frameAnchor: "top-right",
      textAnchor: "start",
      dx: 14,
      dy: 8 + 17 * i,
      fill,
      text: (line: string) => line,
    }),
  );
}

function describeLast(points: readonly LinePoint[], name: string): string {
  const last = points.filter(({ series }) => series === name).at(-1)!;
  return `${last.y.toFixed(1)} at ${last.x}`;
}
