/** A complete experiment that takes no time: for tests, and as the example of docs/reproduce.md. */
import { seededRandom } from "../tensor/index.ts";
import { accuracy, pairedDifference } from "./estimate.ts";
import type { Experiment } from "./experiment.ts";
import { linePlot } from "./line-plot.ts";

interface CoinDesign {
  readonly tosses: number;
  /** Chance of heads of the second coin. */
  readonly loaded: number;
}

/** Loaded coins show more heads than fair ones. */
export const coin: Experiment<CoinDesign, number[]> = {
  id: "coin",
  title: "Loaded coins",
  claim: "Loaded coins show more heads than fair ones.",
  source: { title: "A. Gambler, On coins (1850)", url: "https://example.org/coins", where: "table 1" },
  published: { note: "Heads in 100 tosses, in percent, by hand.", numbers: { fair: 49, loaded: 74 } },
  version: 1,
  scales: {
    smoke: plan(20, "Twenty tosses of each coin."),
    small: plan(400, "Four hundred tosses of each coin by a generator of random numbers instead of by hand."),
    full: plan(10_000, "Ten thousand tosses of each coin."),
  },
  units: ({ tosses, loaded }, seed) =>
    ["fair", "loaded"].map((key, stream) => ({
      key,
      seconds: 1,
      run: async (lab) => {
        const random = seededRandom(seed * 2 + stream);
        const heads = Array.from({ length: tosses }, () =>
          random.uniform() < (key === "fair" ? 0.5 : loaded) ? 1 : 0,
        );
        lab.progress(1, `${heads.filter(Boolean).length} heads`);
        return heads;
      },
    })),
  findings: (results, { tosses }) => {
    const heads = (key: string) => results.of(key).map((tossed) => Uint8Array.from(tossed));
    const rows = ["fair", "loaded"].map((key) => ({
      coin: key,
      ours: accuracy(heads(key)),
      published: coin.published.numbers[key]!,
    }));
    return {
      tables: [
        {
          title: "Heads",
          columns: [
            { key: "coin", header: "coin" },
            { key: "ours", header: "heads %" },
            { key: "published", header: "published %", digits: 0 },
          ],
          rows,
        },
      ],
      plots: [
        linePlot({
          id: "heads",
          title: "Heads by coin",
          caption: "Bars are one standard error.",
          xLabel: "coin",
          yLabel: "heads, %",
          points: rows.map(({ ours }, x) => ({ series: "ours", x, y: ours.mean, standardError: ours.standardError })),
        }),
      ],
      claims: [
        {
          statement: "loaded coins show more heads",
          measured: pairedDifference(heads("fair"), heads("loaded")),
          unit: "points",
          above: 0,
          evidence: "clear",
          decisive: true,
        },
        {
          statement: "fair coins show as many heads as tails",
          measured: accuracy(heads("fair")),
          unit: "%",
          above: 49,
          below: 51,
          evidence: "consistent",
          decisive: true,
        },
      ],
      notes: [`Each coin was tossed ${tosses} times.`],
    };
  },
};

function plan(tosses: number, description: string) {
  return { description, seeds: 2, minutes: 0.1, data: [], design: { tosses, loaded: 0.75 } };
}
