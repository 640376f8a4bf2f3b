/** Fixed heads for more classes than features: what becomes of classes that share a direction. */
import type { RecipeInput } from "../fit/index.ts";
import type { Claim } from "./claims.ts";
import { digitPairs } from "./digit-pairs.ts";
import { type Estimate, estimate } from "./estimate.ts";
import type { Lab, ResultTable } from "./experiment.ts";
import { type HeadVariant, LEARNED, WIDE_HEADS } from "./head-variants.ts";
import { trainHead } from "./train-head.ts";

/** A hundred classes for 64 features. */
export interface PairTask {
  /** Its data set has pictures of ten digits. */
  readonly recipe: RecipeInput;
  readonly counts: { readonly train: number; readonly test: number };
  /** About how long one training takes on two cores. */
  readonly seconds: number;
}

/** What a network came to. All in percent of test pictures. */
export interface PairResult {
  readonly top1: number;
  /** Of the classes with a twin, and of those without. */
  readonly twinTop1: number;
  readonly singleTop1: number;
  /** How many of those with a twin are taken for it. */
  readonly takenForTwin: number;
}

const CLASSES = 100;
const FEATURES = 64;

/** Rows of a Hadamard matrix repeat after 64 rows in 64 columns: classes c and c + 64 get the same one. */
export function twinOf(label: number): number | undefined {
  if (label + FEATURES < CLASSES) return label + FEATURES;
  return label >= FEATURES ? label - FEATURES : undefined;
}

/** Heads that are compared. */
export const PAIR_HEADS: readonly HeadVariant[] = [
  WIDE_HEADS.learned,
  WIDE_HEADS.published,
  WIDE_HEADS.truncated,
  ...WIDE_HEADS.distinct,
];

/** Trains the network with a head. */
export async function trainPairs(lab: Lab, { recipe, counts }: PairTask, { head }: HeadVariant): Promise<PairResult> {
  const data = await digitPairs(lab.dataSet(recipe.data.set).data, counts, lab.seed);
  const { test } = await trainHead(lab, { recipe: { ...recipe, model: { ...recipe.model, head } }, data });
  return { top1: test.top1, ...twinShares(test.confusion!) };
}

/** Reads from a confusion matrix, row: true class, how classes with a twin fare. */
export function twinShares(confusion: readonly (readonly number[])[]): Omit<PairResult, "top1"> {
  const sums = { twins: 0, twinsFound: 0, taken: 0, singles: 0, singlesFound: 0 };
  confusion.forEach((row, label) => {
    const count = row.reduce((a, b) => a + b, 0);
    const twin = twinOf(label);
    if (twin === undefined) {
      sums.singles += count;
      sums.singlesFound += row[label]!;
    } else {
      sums.twins += count;
      sums.twinsFound += row[label]!;
      sums.taken += row[twin]!;
    }
  });
  return {
    twinTop1: (100 * sums.twinsFound) / sums.twins,
    singleTop1: (100 * sums.singlesFound) / sums.singles,
    takenForTwin: (100 * sums.taken) / sums.twins,
  };
}

type PairsOf = (variant: HeadVariant) => readonly PairResult[];

/** Accuracy in classes with and without a twin, by head. */
export function pairTable(of: PairsOf): ResultTable {
  return {
    title: "A hundred classes, 64 features",
    note:
      "Pictures of two digits, MLP with 64 features. Truncated rows repeat: classes c and c + 64 have the same direction, 72 classes in 36 pairs. " +
      "The columns on twins are of those 72 classes for every head. Top-1 in percent of test pictures, ± one standard error over seeds.",
    columns: [
      { key: "head", header: "head" },
      { key: "top1", header: "test %" },
      { key: "twins", header: "classes with a twin %" },
      { key: "singles", header: "other classes %" },
      { key: "taken", header: "taken for the twin %" },
    ],
    rows: PAIR_HEADS.map((variant) => ({
      head: variant.title,
      top1: estimate(of(variant).map(({ top1 }) => top1)),
      twins: estimate(of(variant).map(({ twinTop1 }) => twinTop1)),
      singles: estimate(of(variant).map(({ singleTop1 }) => singleTop1)),
      taken: estimate(of(variant).map(({ takenForTwin }) => takenForTwin)),
    })),
  };
}

/** Repeated directions cost accuracy where they are repeated; other codes for many classes do not. */
export function pairClaims(of: PairsOf): Claim[] {
  const gap = (better: HeadVariant, worse: HeadVariant, which: "top1" | "twinTop1"): Estimate =>
    estimate(of(better).map((found, seed) => found[which] - of(worse)[seed]![which]));
  const { truncated, distinct } = WIDE_HEADS;
  return [
    {
      statement: "A hundred classes: repeated directions cost 20 points in the classes that share theirs",
      measured: gap(LEARNED, truncated, "twinTop1"),
      unit: "points",
      above: 20,
      evidence: "clear",
      decisive: true,
    },
    ...distinct.map(
      (variant): Claim => ({
        statement: `A hundred classes: ${variant.title} is at least 10 points above truncated rows`,
        measured: gap(variant, truncated, "top1"),
        unit: "points",
        above: 10,
        evidence: "clear",
        decisive: true,
      }),
    ),
    ...distinct.map(
      (variant): Claim => ({
        statement: `A hundred classes: ${variant.title} is no more than 2 points below learned`,
        measured: gap(variant, LEARNED, "top1"),
        unit: "points",
        above: -2,
        evidence: "consistent",
        decisive: false,
      }),
    ),
  ];
}
