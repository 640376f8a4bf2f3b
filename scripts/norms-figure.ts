/**
 * Draws docs/images/deviations.svg, what other deviations than L2 cost in docs/results/norm-matters.json:
 * `npx tsx scripts/norms-figure.ts`.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { JudgedClaim } from "../src/experiments/index.ts";
import { htmlToString, openDrawing } from "../src/report/index.ts";

const DOCS = fileURLToPath(new URL("../docs", import.meta.url));
const { claims } = JSON.parse(await readFile(join(DOCS, "results/norm-matters.json"), "utf8")) as {
  readonly claims: readonly JudgedClaim[];
};

interface Difference {
  readonly network: string;
  readonly deviation: string;
  readonly points: number;
  readonly error: number;
}

const differences = claims.flatMap(({ statement, measured }): Difference[] => {
  const [, network, deviation] = /^(MLP|convnet): (.*) is within .* of L2$/.exec(statement) ?? [];
  if (network === undefined || deviation === undefined) return [];
  return [{ network, deviation, points: measured.mean, error: 2 * (measured.standardError ?? 0) }];
});
if (differences.length === 0)
  throw new Error("norm-matters.json has no differences from L2: run the experiment again.");

const COLOURS: Readonly<Record<string, string>> = { MLP: "#0072b2", convnet: "#c77800" };
/** The networks of a deviation stand one above the other. */
const shift = (network: string): number => (network === "MLP" ? -6 : 6);

const { Plot, draw } = await openDrawing();
const networks = Object.keys(COLOURS);
const drawing = draw({
  ariaLabel: `Top-1 minus that of L2, in points: ${differences
    .map(({ network, deviation, points }) => `${network}, ${deviation} ${points.toFixed(2)}`)
    .join("; ")}`,
  width: 720,
  height: 250,
  marginLeft: 220,
  marginRight: 110,
  marginTop: 10,
  marginBottom: 40,
  x: {
    label: "top-1 minus that of L2, points",
    labelAnchor: "center",
    labelArrow: "none",
    grid: true,
    ticks: 7,
    nice: true,
  },
  y: { label: null, domain: [...new Set(differences.map(({ deviation }) => deviation))], type: "band", tickSize: 0 },
  marks: [
    Plot.ruleX([0], { stroke: "currentColor" }),
    ...networks.flatMap((network) => {
      const own = differences.filter((one) => one.network === network);
      const position = { y: "deviation", dy: shift(network) };
      return [
        Plot.link(own, {
          ...position,
          x1: ({ points, error }: Difference) => points - error,
          x2: ({ points, error }: Difference) => points + error,
          stroke: COLOURS[network]!,
        }),
        Plot.dot(own, { ...position, x: "points", fill: COLOURS[network]!, r: 4 }),
      ];
    }),
    ...networks.map((network, i) =>
      Plot.text([`● ${network}`], {
        frameAnchor: "top-right",
        textAnchor: "start",
        dx: 14,
        dy: 8 + 17 * i,
        fill: COLOURS[network]!,
        text: (label: string) => label,
      }),
    ),
  ],
});
/** The picture brings its own ground, so that it can be read on a dark page. */
const STYLE = "color:#1d1f23;font:11.5px system-ui,-apple-system,Segoe UI,Liberation Sans,DejaVu Sans,sans-serif";
const inner = htmlToString(drawing).replace("<svg ", '<svg x="10" y="8" overflow="visible" ');
const picture = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 740 266" width="740" height="266" role="img" style="${STYLE}" fill="#1d1f23"><rect width="740" height="266" rx="8" fill="#ffffff"/>${inner}</svg>\n`;
await mkdir(join(DOCS, "images"), { recursive: true });
await writeFile(join(DOCS, "images/deviations.svg"), picture);
