/**
 * Draws docs/images/fixed-heads.svg, the least loss that a scale allows and the share of parameters that a head has, and
 * docs/images/fixed-heads-results.svg, what came of heads for many classes in docs/results/fixed-classifier.json:
 * `npx tsx scripts/fixed-heads-figure.ts`.
 */
import { readFileSync, writeFileSync } from "node:fs";
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

/** A table of the experiment's results, as its JSON has it. */
interface ResultTable {
  readonly title: string;
  readonly rows: readonly Readonly<
    Record<string, string | { readonly mean: number; readonly standardError: number }>
  >[];
}

const results = JSON.parse(readFileSync(new URL("../docs/results/fixed-classifier.json", import.meta.url), "utf8")) as {
  readonly tables: readonly ResultTable[];
};

/** Returns name and mean of each row of a table. */
function meansOf(title: string, column: string): readonly { readonly name: string; readonly mean: number }[] {
  const { rows } = results.tables.find((table) => table.title === title)!;
  return rows.map((row) => ({ name: String(row.head), mean: (row[column] as { readonly mean: number }).mean }));
}

/** Two bars for each head: the classes that may share a direction with another, and the rest. */
function manyClassBars(): string[] {
  const table = "A hundred classes, 64 features";
  const singles = meansOf(table, "singles");
  const bars = meansOf(table, "twins").map(({ name, mean }, i) => {
    const y = 52 + 36 * i;
    const bar = (top: number, value: number, colour: string): string =>
      `<rect x="240" y="${top}" width="${(1.2 * value).toFixed(1)}" height="13" rx="2" fill="${colour}"/>` +
      text(246 + 1.2 * value, top + 11, value.toFixed(1), 'font-size="11"');
    return (
      text(232, y + 18, name, 'text-anchor="end"') +
      bar(y, mean, COLOURS[2]!) +
      bar(y + 14, singles[i]!.mean, COLOURS[0]!)
    );
  });
  const legend = [
    text(20, 44, "72 classes that truncation gives 36 directions", `fill="${COLOURS[2]}" font-size="11"`),
    text(300, 44, "the other 28", `fill="${COLOURS[0]}" font-size="11"`),
  ];
  return [text(20, 24, "100 classes, 64 features: test top-1, %", 'font-weight="600"'), ...legend, ...bars];
}

function perplexityBars(): string[] {
  const bars = meansOf("Language model of words", "perplexity").map(({ name, mean }, i) => {
    const y = 56 + 50 * i;
    const bar = `<rect x="440" y="${y + 6}" width="${(2.3 * mean).toFixed(1)}" height="20" rx="3" fill="${COLOURS[1]}"/>`;
    return text(440, y, name) + bar + text(446 + 2.3 * mean, y + 21, mean.toFixed(1));
  });
  return [text(440, 24, "2,000 words: perplexity, less is better", 'font-weight="600"'), ...bars];
}

function draw(name: string, label: string, parts: readonly string[]): void {
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 740 275" role="img" aria-label="${label}" font-family="sans-serif" font-size="13" fill="${GREY}">`,
    ...parts,
    "</svg>\n",
  ];
  writeFileSync(new URL(`../docs/images/${name}.svg`, import.meta.url), svg.join("\n"));
}

draw(
  "fixed-heads",
  "Left: least cross-entropy against the scale of cosines, for 10, 100 and 1000 classes. Right: share of parameters of the head, from 0.07 % of ResNet-56 to 52.56 % of ShuffleNet.",
  [...lossCurves(), ...shareBars()],
);
draw(
  "fixed-heads-results",
  "Left: top-1 by head with 100 classes; truncated rows lose half of the classes that share theirs. Right: perplexity of a language model by head; random vectors are the worst.",
  [...manyClassBars(), ...perplexityBars()],
);
