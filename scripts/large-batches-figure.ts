/**
 * Draws docs/images/large-batches.svg: `npx tsx scripts/large-batches-figure.ts`. The learning rates are those of recipes as the
 * library scales and adapts them.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { adaptRegime, countUpdates, parseRecipe, type Recipe, scaleBatch } from "../src/fit/index.ts";
import { htmlToString, openDrawing } from "../src/report/index.ts";

const IMAGES = fileURLToPath(new URL("../docs/images", import.meta.url));

/** The pilot of docs/large-batches.md: 4,096 samples, 64 in a batch against 1024. */
const SAMPLES = 4096;
const [SMALL, LARGE] = [64, 1024];
const recipe = parseRecipe(
  {
    model: { name: "mlp" },
    data: { set: "mnist" },
    epochs: 6,
    batch: { size: SMALL },
    learningRate: 0.1,
    schedule: { kind: "multi-step", milestones: [3, 4.8] },
  },
  "figure",
);
const scaled = scaleBatch(recipe, { to: LARGE });

const rows: readonly (readonly [label: string, recipe: Recipe, batch: number])[] = [
  [`SB: batches of ${SMALL}`, recipe, SMALL],
  [`LB: batches of ${LARGE}`, scaleBatch(recipe, { to: LARGE, rule: "none" }), LARGE],
  ["+LR: rate times √16", scaled, LARGE],
  ["+RA: and 16 times the epochs", adaptRegime(scaled, { reference: SMALL }), LARGE],
];

interface Piece {
  readonly from: number;
  readonly to: number;
  readonly rate: number;
}

/** Updates from fall to fall with the rate between them. */
function pieces({ epochs, learningRate, schedule }: Recipe, updates: number): Piece[] {
  if (schedule.kind !== "multi-step") throw new Error("internal: the figure is of milestones.");
  const ends = [...schedule.milestones, epochs].map((epoch) => Math.round((epoch / epochs) * updates));
  return ends.map((to, i) => ({ from: ends[i - 1] ?? 0, to, rate: learningRate * schedule.factor ** i }));
}

const { Plot, draw } = await openDrawing();
const longest = Math.max(...rows.map(([, one]) => countUpdates(one, SAMPLES).totalSteps));
const bars = rows.flatMap(([label, one]) =>
  pieces(one, countUpdates(one, SAMPLES).totalSteps).map((piece) => ({ label, ...piece })),
);
const texts = rows.map(([label, one]) => {
  const { totalSteps } = countUpdates(one, SAMPLES);
  return { label, at: totalSteps, text: `${totalSteps} updates, rate from ${one.learningRate}` };
});
const drawing = draw({
  ariaLabel: `Learning rates by update: ${texts.map(({ label, text }) => `${label}, ${text}`).join("; ")}`,
  width: 760,
  height: 210,
  marginLeft: 190,
  marginRight: 200,
  marginTop: 10,
  marginBottom: 36,
  x: { label: "updates of the weights", labelAnchor: "center", labelArrow: "none", domain: [0, longest], ticks: 5 },
  y: { label: null, domain: rows.map(([label]) => label), padding: 0.35, tickSize: 0 },
  marks: [
    Plot.barX(bars, {
      x1: "from",
      x2: "to",
      y: "label",
      fill: "var(--series-1)",
      // Each fall of the rate is a lighter piece.
      fillOpacity: (bar: Piece) => 1 + 0.35 * Math.log10(bar.rate / 0.4),
    }),
    Plot.text(texts, { x: "at", y: "label", text: "text", textAnchor: "start", dx: 8, fill: "currentColor" }),
  ],
});
/** Colours of the report's light page; the picture brings its own ground, so that it can be read on a dark one. */
const STYLE =
  "--series-1:#0072b2;color:#1d1f23;font:11.5px system-ui,-apple-system,Segoe UI,Liberation Sans,DejaVu Sans,sans-serif";
const inner = htmlToString(drawing).replace("<svg ", '<svg x="10" y="8" overflow="visible" ');
const picture = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 226" width="780" height="226" role="img" style="${STYLE}" fill="#1d1f23"><rect width="780" height="226" rx="8" fill="#ffffff"/>${inner}</svg>\n`;
await mkdir(IMAGES, { recursive: true });
await writeFile(join(IMAGES, "large-batches.svg"), picture);
