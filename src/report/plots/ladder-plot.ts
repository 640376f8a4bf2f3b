/** A plot of the ladder: how much closer to the float model each rung is. */
import type { RungReport } from "../../quantize/index.ts";
import { formatFixed } from "../format.ts";
import type { Html } from "../html.ts";
import { openDrawing } from "./draw.ts";

/** Width that a rung's name needs, pixels. */
const NAME_WIDTH = 130;

/**
 * Returns one bar for each rung with its output's signal to noise in decibels; rungs that were not kept are hollow. Rungs
 * without a figure are left out.
 */
export async function ladderPlot(ladder: readonly RungReport[]): Promise<Html> {
  const { Plot, draw } = await openDrawing();
  const rungs = ladder.flatMap(({ name, outputSqnrDb, kept }) =>
    outputSqnrDb === null ? [] : [{ name, decibels: outputSqnrDb, kept }],
  );
  const colour = ({ kept }: { kept: boolean }, i: number) =>
    i === 0 ? "var(--series-0)" : kept ? "var(--series-1)" : "var(--series-4)";
  const lowest = Math.min(0, ...rungs.map(({ decibels }) => decibels));
  const highest = Math.max(1, ...rungs.map(({ decibels }) => decibels));
  return draw({
    ariaLabel: `Output signal to noise by rung: ${rungs.map(({ name, decibels }) => `${name} ${formatFixed(decibels, 1)} dB`).join(", ")}`,
    width: 640,
    height: 40 + 30 * rungs.length,
    marginLeft: NAME_WIDTH,
    marginRight: 56,
    marginTop: 8,
    marginBottom: 32,
    x: { domain: [lowest, highest], label: "dB", ticks: 6, tickSize: 4 },
    y: { domain: rungs.map((_, i) => i), axis: null, padding: 0.3 },
    marks: [
      Plot.barX(rungs, {
        x: "decibels",
        y: (_: unknown, i: number) => i,
        fill: (rung: { kept: boolean }, i: number) => (rung.kept ? colour(rung, i) : "var(--raised)"),
        stroke: colour,
        strokeWidth: 1.5,
        rx: 2,
      } as object),
      Plot.text(rungs, {
        x: ({ decibels }: { decibels: number }) => Math.max(decibels, 0),
        y: (_: unknown, i: number) => i,
        dx: 6,
        textAnchor: "start",
        text: ({ decibels }: { decibels: number }) => formatFixed(decibels, 1),
        fill: "var(--text)",
        fontWeight: 650,
      }),
      Plot.text(rungs, {
        x: () => lowest,
        y: (_: unknown, i: number) => i,
        dx: -8,
        textAnchor: "end",
        text: "name",
        fill: "var(--text)",
      }),
    ],
  });
}
