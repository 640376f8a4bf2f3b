/** Last layers that the experiment on fixed classifiers compares. */
import type { RecipeInput } from "../fit/index.ts";

/** A last layer as recipes have it. */
export type Head = NonNullable<RecipeInput["model"]["head"]>;

/** A last layer, and what it is called. */
export interface HeadVariant {
  readonly key: string;
  readonly title: string;
  readonly head: Head;
}

export const LEARNED: HeadVariant = { key: "learned", title: "learned", head: { kind: "linear" } };
const COSINE: HeadVariant = { key: "cosine", title: "learned, cosines", head: { kind: "cosine" } };
export const ORTHOGONAL: HeadVariant = { key: "orthogonal", title: "orthogonal", head: { kind: "orthogonal" } };
const SIMPLEX: HeadVariant = { key: "simplex", title: "simplex", head: { kind: "simplex" } };
/** Hadamard rows without the row of ones. */
export const ROWS: HeadVariant = { key: "hadamard", title: "Hadamard, rows 1 to C", head: { kind: "hadamard" } };
/** Hadamard rows as published, but for the sign. */
export const PLUS: HeadVariant = {
  key: "hadamard-plus",
  title: "Hadamard, from row 0",
  head: { kind: "hadamard", row0: "keep" },
};
/** Hadamard rows as published. */
export const MINUS: HeadVariant = {
  key: "hadamard-minus",
  title: "Hadamard, from row 0, minus",
  head: { kind: "hadamard", row0: "keep", minus: true },
};

/** Fixed heads that should do as well as a learned one. */
export const FIXED: readonly HeadVariant[] = [ORTHOGONAL, SIMPLEX, ROWS];

/** Scales that are not learned, of sums with signs: times sqrt(features) they are scales of cosines. */
export const CONSTANT_SCALES: readonly HeadVariant[] = [0.1, 0.5, 1, 2, 4].map(
  (scale): HeadVariant => ({
    key: `scale-${String(scale).replace(".", "-")}`,
    title: `Hadamard, from row 0, scale ${scale}`,
    head: { kind: "hadamard", row0: "keep", scale },
  }),
);

export const NO_BIAS_PLUS: HeadVariant = {
  key: "no-bias-plus",
  title: "Hadamard, from row 0, no bias",
  head: { kind: "hadamard", row0: "keep", bias: false },
};
export const NO_BIAS_MINUS: HeadVariant = {
  key: "no-bias-minus",
  title: "Hadamard, from row 0, minus, no bias",
  head: { kind: "hadamard", row0: "keep", minus: true, bias: false },
};
export const NO_BIAS_ROWS: HeadVariant = {
  key: "no-bias-rows",
  title: "Hadamard, rows 1 to C, no bias",
  head: { kind: "hadamard", bias: false },
};

/** All heads of the published comparison and its ablations. */
export const ALL_HEADS: readonly HeadVariant[] = [
  LEARNED,
  COSINE,
  ...FIXED,
  PLUS,
  MINUS,
  ...CONSTANT_SCALES,
  NO_BIAS_PLUS,
  NO_BIAS_MINUS,
  NO_BIAS_ROWS,
];

const PUBLISHED: HeadVariant = {
  key: "truncate-published",
  title: "Hadamard, truncated, from row 0",
  head: { kind: "hadamard", row0: "keep", wide: "truncate" },
};
/** One class instead of two has the row of ones: what is left is the repetition. */
const TRUNCATED: HeadVariant = {
  key: "truncate",
  title: "Hadamard, truncated, from row 1",
  head: { kind: "hadamard", wide: "truncate" },
};
const BIORTHOGONAL: HeadVariant = {
  key: "biorthogonal",
  title: "Hadamard, both signs",
  head: { kind: "hadamard", wide: "biorthogonal" },
};
const RANDOM_COLUMNS: HeadVariant = {
  key: "random-columns",
  title: "Hadamard, random columns",
  head: { kind: "hadamard", wide: "random-columns" },
};
const SPREAD: HeadVariant = { key: "spread", title: "spread", head: { kind: "spread" } };

/** Heads for more classes than features: learned, with repeated directions, and without. */
export const WIDE_HEADS: {
  readonly learned: HeadVariant;
  readonly published: HeadVariant;
  readonly truncated: HeadVariant;
  readonly distinct: readonly HeadVariant[];
} = {
  learned: LEARNED,
  published: PUBLISHED,
  truncated: TRUNCATED,
  distinct: [BIORTHOGONAL, RANDOM_COLUMNS, SPREAD],
};
