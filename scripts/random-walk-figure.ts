/**
 * Draws docs/images/random-walk.svg: `npx tsx scripts/random-walk-figure.ts`. The distances are those of
 * docs/results/train-longer.json, all seeds; lines are a + b ln t, fitted from update 8 on.
 */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type DistanceRecord, distanceFit } from "../src/fit/index.ts";
import { htmlToString, openDrawing } from "../src/report/index.ts";

const place = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const results = process.argv[2] ?? place("docs/results/train-longer.json");

interface StoredWalk {
  readonly key: string;
  readonly seed: number;
  readonly result: { readonly found: readonly DistanceRecord[] };
}

const { units } = JSON.parse(await readFile(results, "utf8")) as { readonly units: readonly StoredWalk[] };
const walks = units.flatMap(({ key, seed, result }) => {
  const [, batch, remedies] = /^walk\/batch-(\d+)(-remedies)?$/.exec(key) ?? [];
  return batch === undefined
    ? []
    : [{ batch: Number(batch), seed, isRemedied: remedies !== undefined, records: result.found }];
});
const smallest = Math.min(...walks.map(({ batch }) => batch));
const batches = [...new Set(walks.map(({ batch }) => batch))].sort((a, b) => a - b);

/** The smallest batch is in both panels: it is what the others are compared with. */
const PANELS = ["Distance from the start: same rate, whole batches", "root rule, ghost batches"] as const;
const drawn = walks.flatMap((walk) => {
  const panels = walk.batch === smallest ? PANELS : [PANELS[walk.isRemedied ? 1 : 0]];
  return panels.map((panel) => ({ ...walk, panel }));
});

const colour = (batch: number): string => `var(--series-${1 + batches.indexOf(batch)})`;
const dots = drawn.flatMap(({ records, batch, panel }) =>
  records.map(({ step, distance }) => ({ step, distance, batch, panel })),
);
const lines = drawn.flatMap(({ records, batch, panel, seed }) => {
  const { intercept, slope } = distanceFit(records).log;
  return [8, records.at(-1)!.step].map((step) => ({
    step,
    distance: intercept + slope * Math.log(step),
    batch,
    panel,
    line: `${panel} ${batch} ${seed}`,
  }));
});
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
/** In the empty corner: slope and R² of each batch size, means over seeds. */
const legend = PANELS.flatMap((panel) =>
  batches.map((batch, row) => {
    const fits = drawn
      .filter((walk) => walk.panel === panel && walk.batch === batch)
      .map(({ records }) => distanceFit(records).log);
    const [slope, r2] = [mean(fits.map((fit) => fit.slope)), mean(fits.map((fit) => fit.r2))];
    return { panel, batch, row, text: `● batch ${batch}: slope ${slope.toFixed(2)}, R² ${r2.toFixed(3)}` };
  }),
);

const { Plot, draw } = await openDrawing();
const drawing = draw({
  ariaLabel: `Distance of weights from their start by updates: ${legend.map(({ panel, text }) => `${panel}, ${text.slice(2)}`).join("; ")}`,
  width: 760,
  height: 300,
  marginLeft: 40,
  marginTop: 30,
  marginBottom: 38,
  marginRight: 4,
  fx: { label: null, domain: [...PANELS], padding: 0.06 },
  x: {
    type: "log",
    base: 2,
    label: "updates, t",
    labelAnchor: "center",
    labelArrow: "none",
    ticks: [1, 8, 64, 512],
    tickFormat: "d",
  },
  y: { label: null, grid: true, ticks: 5, tickSize: 0, domain: [0, 24] },
  marks: [
    Plot.line(lines, {
      fx: "panel",
      x: "step",
      y: "distance",
      z: "line",
      stroke: ({ batch }: { batch: number }) => colour(batch),
      strokeOpacity: 0.6,
      strokeWidth: 1.2,
    }),
    Plot.dot(dots, {
      fx: "panel",
      x: "step",
      y: "distance",
      r: 2.4,
      fill: ({ batch }: { batch: number }) => colour(batch),
    }),
    ...batches.map((_, row) =>
      Plot.text(
        legend.filter((entry) => entry.row === row),
        {
          fx: "panel",
          text: "text",
          frameAnchor: "top-left",
          textAnchor: "start",
          dx: 10,
          dy: 6 + 17 * row,
          fill: ({ batch }: { batch: number }) => colour(batch),
        },
      ),
    ),
  ],
});
/** Colours of the report's light page; the picture brings its own ground, so that it can be read on a dark one. */
const STYLE =
  "--series-1:#0072b2;--series-2:#c75200;--series-3:#00805c;--series-4:#9c4f7d;color:#1d1f23;font:11.5px system-ui,-apple-system,Segoe UI,Liberation Sans,DejaVu Sans,sans-serif";
const inner = htmlToString(drawing).replace("<svg ", '<svg x="10" y="8" overflow="visible" ');
const picture = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 316" width="780" height="316" role="img" style="${STYLE}" fill="#1d1f23"><rect width="780" height="316" rx="8" fill="#ffffff"/>${inner}</svg>\n`;
await writeFile(place("docs/images/random-walk.svg"), picture);
