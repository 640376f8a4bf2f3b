/** The precisions that are compared, and what is kept of a training in one of them. */
import type { RecipeInput } from "../../fit/index.ts";
import type { Lab } from "../experiment.ts";
import { trainBriefly } from "../train-briefly.ts";

type Precision = NonNullable<RecipeInput["precision"]>;
type Int8 = Extract<Precision, { kind: "int8" }>;

/** A precision, and the batch norm that goes with it. */
export interface Variant {
  readonly key: string;
  readonly name: string;
  readonly precision: Precision;
  readonly norm: "plain" | "range";
}

/** Where and how long a network is trained. */
export interface Task {
  readonly key: string;
  readonly title: string;
  readonly recipe: RecipeInput;
  /** Parts that a batch falls into for the range: they must divide it. */
  readonly chunks: number;
  readonly testSamples: number;
  readonly seconds: number;
}

/** One trained network. */
export interface EightBitResult {
  /** Of the exported network, in percent. */
  readonly top1: number;
  readonly right: string;
  /** Of the network as it was measured in training. */
  readonly evaluated: number;
  /** Of training, evaluations too. */
  readonly seconds: number;
  /** Of the exported file. */
  readonly bytes: number;
  /** Why the training broke off, if it did. */
  readonly failure: string | null;
  /** Cosines of weight gradients with those of float, by layer and bits. */
  readonly cosines?: readonly { readonly layer: string; readonly bits: number; readonly cosine: number }[];
}

export const FLOAT: Variant = { key: "float", name: "float, BN", precision: { kind: "float32" }, norm: "plain" };
export const FLOAT_RANGE: Variant = { ...FLOAT, key: "float-range", name: "float, Range BN", norm: "range" };
export const PLAIN: Variant = { key: "int8-plain", name: "8 bits, BN", precision: { kind: "int8" }, norm: "plain" };
export const DEFAULTS: Variant = { ...PLAIN, key: "int8", name: "8 bits, Range BN", norm: "range" };

/** Rows of the grid: bits of gradients, and of weights and activations. `grid`: whether 0 is one of the codes. */
export const GRID_ROWS: readonly GridRow[] = [
  { gradients: 8, others: 8, grid: "range", published: [95, 94.4, 94.9, 94.7] },
  { gradients: 4, others: 8, grid: "range", published: [94.7, 93.6, 94, 16.3] },
  { gradients: 3, others: 8, grid: "range", published: [93, 91.5, 92.5, 15.8] },
  { gradients: 4, others: 4, grid: "range", published: [94.7, 93.6, 93.7, 25.5] },
  { gradients: 4, others: 8, grid: "zero" },
];

/** A row. */
export interface GridRow {
  readonly gradients: 3 | 4 | 8;
  readonly others: 4 | 8;
  readonly grid: "range" | "zero";
  /** By column. */
  readonly published?: readonly number[];
}

/** Its columns. */
export const INGREDIENTS = [
  { key: "both", name: "bifurcation, stochastic", weightGradients: 16, rounding: "stochastic" },
  { key: "bifurcation", name: "bifurcation, nearest", weightGradients: 16, rounding: "nearest" },
  { key: "stochastic", name: "no bifurcation, stochastic", weightGradients: "same", rounding: "stochastic" },
  { key: "neither", name: "neither", weightGradients: "same", rounding: "nearest" },
] as const;

export type Ingredients = (typeof INGREDIENTS)[number];

/** A cell of the grid. */
export function gridVariant(
  { gradients, others, grid }: GridRow,
  { key, name, weightGradients, rounding }: Ingredients,
): Variant {
  const precision: Int8 = {
    kind: "int8",
    weights: { bits: others },
    activations: { bits: others },
    gradients: { bits: gradients, rounding },
    weightGradients,
    grid,
  };
  return { key: `grid/${grid}-w${others}g${gradients}-${key}`, name, precision, norm: "range" };
}

/** Bits of everything, with bifurcation and stochastic rounding. */
export const SWEPT_BITS = [8, 7, 6, 5, 4, 3] as const;

export function sweptVariant(bits: (typeof SWEPT_BITS)[number]): Variant {
  return { ...everythingIn(bits), key: `bits/${bits}` };
}

/** Weights, activations and gradients in so many bits. */
export function everythingIn(bits: 2 | (typeof SWEPT_BITS)[number]): Variant {
  const precision: Int8 = {
    kind: "int8",
    weights: { bits },
    activations: { bits },
    gradients: { bits },
    weightGradients: 16,
  };
  return { key: `${bits}`, name: `${bits} bits`, precision, norm: "range" };
}

/** Gradients that are powers of two, 4 bits with the sign. */
export const LOGARITHMIC: readonly Variant[] = (["same", 16] as const).map((weightGradients) => ({
  key: `luq/${weightGradients}`,
  name: weightGradients === "same" ? "4-bit LUQ" : "4-bit LUQ, bifurcation",
  precision: { kind: "int8", gradients: { bits: 4, logarithmic: true }, weightGradients },
  norm: "range",
}));

/** The recipe of a task in a precision. */
export function recipeOf({ recipe, chunks }: Task, { precision, norm }: Variant): RecipeInput {
  const normalization = { kind: "batch", deviation: norm === "range" ? `range-${chunks}` : "l2" } as const;
  return { ...recipe, model: { ...recipe.model, normalization }, precision } as RecipeInput;
}

/** Trains, exports, and measures the exported network. */
export async function train(lab: Lab, task: Task, variant: Variant): Promise<EightBitResult> {
  let bytes = 0;
  const { top1, right, curve, events, failure } = await trainBriefly(lab, {
    recipe: recipeOf(task, variant),
    testSamples: task.testSamples,
    changePlan: (plan) => ({
      ...plan,
      exportModel: (variables) => {
        const model = plan.exportModel(variables);
        bytes = model.bytes.byteLength;
        return model;
      },
    }),
  });
  const seconds = events.at(-1)?.seconds ?? 0;
  return { top1, right, evaluated: curve.at(-1)?.top1 ?? 0, seconds, bytes, failure };
}
