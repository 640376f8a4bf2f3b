/**
 * Draws docs/images/fixed-heads.svg, the least loss that a scale allows and the share of parameters that a head has:
 * `npx tsx scripts/fixed-heads-figure.ts`.
 */
import { writeFileSync } from "node:fs";
import { headCosts } from "../src/nn/heads/head-costs.ts";
import { smallestLoss } from "../src/nn/heads/smallest-loss.ts";

const GREY = "#777";
const COLOURS = ["#2a78d6", "#1baf7a", "#c77800"];
const CLASSES = [10, 100, 1000];

/** Features and classes of arXiv:1801.04540, table 1. */
const NETWORKS = [
  { name: "ResNet-56", parameters: 855_770, features: 64, classes: 10 },
  { name: "DenseNet", parameters: 800_032, features: 342, classes: 100 },
  { name: "ResNet-50", parameters: 25_557_032, features: 2048, classes: 1000 },
  { name: "DenseNet-169", parameters: 14_149_480, features: 1664, classes: 1000 },
  { name: "ShuffleNet", parameters: 1_826_555, features: 960, classes: 1000 },
];

const text = (x: number, y: number, content: string, attributes = ""): string =>
  `<text x="${x}" y="${y}" ${attributes}>${content}</text>`;

/** Loss from 0 to 7 over scales from 0 to 30. */
function lossCurves(): string[] {
  const place = (scale: number, loss: number): [number, number] => [50 + scale * 9, 230 - loss * 27];
  const lines = CLASSES.map((classes, i) => {
    const points = Array.from({ length: 121 }, (_, k) => place(k / 4, smallestLoss(k / 4, classes)));
    const path = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
    const label = text(200, 60 + 17 * i, `${classes} classes`, `fill="${COLOURS[i]}" font-weight="600"`);
    return `<polyline points="${path}" fill="none" stroke="${COLOURS[i]}" stroke-width="2"/>${label}`;
  });
  const ticks = [0, 10, 20, 30].map((scale) => text(place(scale, 0)[0], 246, String(scale), 'text-anchor="middle"'));
  const losses = [0, 2, 4, 6].map((loss) => {
    const [, y] = place(0, loss);
    return `<path d="M50 ${y}H320" stroke="${GREY}" stroke-opacity="0.25"/>${text(44, y + 4, String(loss), 'text-anchor="end"')}`;
  });
  return [
    text(50, 24, "Least cross-entropy", 'font-weight="600"'),
    ...losses,
    ...ticks,
    text(185, 264, "scale of cosines", 'text-anchor="middle"'),
    ...lines,
  ];
}

/** A bar for each network. */
function shareBars(): string[] {
  const bars = NETWORKS.map(({ name, ...network }, i) => {
    const share = 100 * headCosts({ ...network, head: "linear" }).headShare;
    const y = 48 + 40 * i;
    const bar = `<rect x="480" y="${y}" width="${(3 * share).toFixed(1)}" height="22" rx="3" fill="${COLOURS[0]}"/>`;
    const label = text(472, y + 16, name, 'text-anchor="end"');
    return `${label}${bar}${text(486 + 3 * share, y + 16, `${share.toFixed(2)} %`)}`;
  });
  return [text(380, 24, "Share of parameters that the head has", 'font-weight="600"'), ...bars];
}

writeFileSync(
  new URL("../docs/images/fixed-heads.svg", import.meta.url),
  [
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 740 275" role="img" aria-label="Left: least cross-entropy against the scale',
    ' of cosines, for 10, 100 and 1000 classes. Right: share of parameters of the head, from 0.07 % of ResNet-56 to 52.56 % of ShuffleNet."',
    ` font-family="sans-serif" font-size="13" fill="${GREY}">\n`,
    [...lossCurves(), ...shareBars()].join("\n"),
    "\n</svg>\n",
  ].join(""),
);
