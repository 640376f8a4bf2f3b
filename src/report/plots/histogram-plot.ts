/** The distribution of an activation with the clipping range drawn in. */
import type { Histogram } from "../../quantize/index.ts";
import { formatPercent, formatValue } from "../format.ts";
import type { Html } from "../html.ts";
import { ceilingDecade, decades, floorDecade } from "./decades.ts";
import { openDrawing } from "./draw.ts";

/** What is drawn. */
export interface HistogramPlotParts {
  /** Name of the activation, for screen readers. */
  readonly name: string;
  readonly histogram: Histogram;
  readonly clipLow: number;
  readonly clipHigh: number;
  /** "one-sided": what lies below `clipLow` is set to zero by the ReLU, not by clipping, and drawn in grey. Default "two-sided". */
  readonly side?: "one-sided" | "two-sided";
}

const MAX_BINS = 96;

/**
 * Returns a histogram on a logarithmic scale - outliers that decide a range are a few in a million - with the values that clipping
 * cuts in another colour.
 *
 * @throws nothing; an empty histogram gives an empty frame.
 */
export async function histogramPlot(parts: HistogramPlotParts): Promise<Html> {
  const { name, histogram, clipLow, clipHigh, side = "two-sided" } = parts;
  const { Plot, draw } = await openDrawing();
  const bins = rebin(histogram, MAX_BINS);
  const total = bins.reduce((sum, bin) => sum + bin.count, 0);
  const shares = bins.map((bin) => ({ ...bin, percent: total > 0 ? (100 * bin.count) / total : 0 }));
  const present = shares.map((bin) => bin.percent).filter((percent) => percent > 0);
  const largest = Math.max(...present, 0) || 100;
  const floor = floorDecade(0.9 * Math.max(Math.min(...present, largest), largest * 1e-8));
  const ceiling = ceilingDecade(1.1 * largest);
  const width = histogram.high - histogram.low || Math.max(1e-6, Math.abs(histogram.high));
  const area = (test: (middle: number) => boolean, fill: string) =>
    Plot.rectY(
      shares.filter((bin) => bin.percent > 0 && test((bin.from + bin.to) / 2)),
      { x1: "from", x2: "to", y1: floor, y2: "percent", fill, inset: -0.2 },
    );
  const clips = [clipLow, clipHigh].filter((clip) => Number.isFinite(clip));
  const low = Math.min(histogram.low, ...clips);
  const high = Math.max(histogram.low + width, ...clips);
  return draw({
    ariaLabel: `Histogram of ${name}: values from ${formatValue(histogram.low)} to ${formatValue(histogram.high)}, clipped to ${formatValue(clipLow)} .. ${formatValue(clipHigh)}`,
    width: 400,
    height: 190,
    marginLeft: 62,
    marginRight: 14,
    marginTop: 24,
    marginBottom: 32,
    x: { domain: [low - 0.02 * (high - low), high + 0.02 * (high - low)], ticks: 5, label: null },
    y: {
      type: "log",
      domain: [floor, ceiling],
      ticks: decades(floor, Math.min(100, ceiling)),
      tickFormat: (percent: number) => formatPercent(percent, Math.max(0, -Math.floor(Math.log10(percent) + 1e-9))),
      tickSize: 0,
      grid: true,
      label: null,
    },
    marks: [
      area((x) => x >= clipLow && x <= clipHigh, "var(--series-1)"),
      area((x) => x < clipLow, side === "one-sided" ? "var(--series-0)" : "var(--series-2)"),
      area((x) => x > clipHigh, "var(--series-2)"),
      Plot.ruleY([floor], { stroke: "currentColor", strokeOpacity: 0.6 }),
      Plot.ruleX(clips, { stroke: "var(--series-2)", strokeWidth: 1.5, strokeDasharray: "4,3" }),
      ...clips.map((clip) =>
        Plot.text([clip], {
          x: clip,
          frameAnchor: "top",
          dy: -15,
          text: formatValue,
          textAnchor: labelSide(clip, clip === clipLow, low, high),
          fill: "var(--series-2)",
        }),
      ),
    ],
  });
}

/** A bin of a histogram: count of values in [from, to). */
interface Bin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** Joins neighbouring bins until there are at most `most`. */
export function rebin(histogram: Histogram, most: number): Bin[] {
  const { low, high, counts } = histogram;
  const perBin = Math.ceil(counts.length / most);
  const step = (high - low || Math.max(1e-6, Math.abs(high))) / Math.max(1, counts.length);
  const bins: Bin[] = [];
  for (let start = 0; start < counts.length; start += perBin) {
    const end = Math.min(counts.length, start + perBin);
    let count = 0;
    for (let i = start; i < end; i++) count += counts[i]!;
    bins.push({ from: low + start * step, to: low + end * step, count });
  }
  return bins;
}

/** Labels point away from each other, and inwards at the edges of the plot. */
function labelSide(x: number, isLow: boolean, low: number, high: number): "start" | "end" {
  const position = (x - low) / (high - low || 1);
  return (isLow ? position > 0.12 : position > 0.88) ? "end" : "start";
}
