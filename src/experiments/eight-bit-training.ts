/** Training in 8 bits and below: each ingredient in turn, bits from 8 to 3, and integer models of what was trained. */
import type { RecipeInput } from "../fit/index.ts";
import { predictedCosine } from "../precision/index.ts";
import type { Claim } from "./claims.ts";
import { measureCosines, PREDICTED } from "./eight-bit-training/cosines.ts";
import {
  DEFAULTS,
  type EightBitResult,
  FLOAT,
  FLOAT_RANGE,
  GRID_ROWS,
  type GridRow,
  gridVariant,
  INGREDIENTS,
  LOGARITHMIC,
  PLAIN,
  SWEPT_BITS,
  sweptVariant,
  type Task,
  train,
  type Variant,
} from "./eight-bit-training/variants.ts";
import { accuracy, type Estimate, estimate, pairedDifference } from "./estimate.ts";
import type { Experiment, Results, ResultTable, Unit } from "./experiment.ts";
import { linePlot, type ResultPlot } from "./line-plot.ts";
import { unpackOutcomes } from "./right-or-wrong.ts";

interface EightBitDesign {
  /** The perceptron, in every variant. */
  readonly grid: Task;
  /** Networks in float and in 8 bits only. */
  readonly others: readonly Task[];
}

type Found = Results<EightBitResult>;

const MLP: RecipeInput = {
  model: { name: "mlp", width: 0.5 },
  data: { set: "mnist", limit: 6000 },
  epochs: 3,
  batch: { size: 100 },
  learningRate: 0.1,
  schedule: { kind: "constant" },
  evaluation: { every: 3 },
};
const CONVNET: RecipeInput = {
  model: { name: "small-convnet", width: 0.5 },
  data: { set: "fashion-mnist", limit: 4000 },
  epochs: 4,
  batch: { size: 64 },
  learningRate: 0.1,
  evaluation: { every: 4 },
};
const RESNET: RecipeInput = {
  model: { name: "resnet20", depth: 8, width: 0.5 },
  data: { set: "cifar10", limit: 4000 },
  epochs: 4,
  batch: { size: 64 },
  learningRate: 0.1,
  evaluation: { every: 4 },
};
const COMPARED: readonly Variant[] = [FLOAT, PLAIN, DEFAULTS];

const mlp = (recipe: RecipeInput, seconds: number): Task => ({
  key: "mlp",
  title: "MNIST, MLP",
  recipe,
  chunks: 10,
  testSamples: 10_000,
  seconds,
});

const others = (epochs: number, limit: number | undefined, seconds: readonly [number, number]): readonly Task[] =>
  [
    { key: "convnet", title: "Fashion-MNIST, convnet", recipe: CONVNET },
    { key: "resnet", title: "CIFAR-10, ResNet-8", recipe: RESNET },
  ].map(({ recipe, ...task }, index) => {
    const { limit: _, ...data } = recipe.data;
    const changes = { epochs, data: limit ? { ...data, limit } : data, evaluation: { every: epochs } };
    return { ...task, recipe: { ...recipe, ...changes }, chunks: 16, testSamples: 10_000, seconds: seconds[index]! };
  });

export const eightBitTraining: Experiment<EightBitDesign, EightBitResult> = {
  id: "eight-bit-training",
  title: "Training in 8 bits",
  claim:
    "Networks whose weights, activations and gradients are 8-bit integers learn as well as in float. Below 8 bits gradients need stochastic rounding, and a finer copy for the weights' own gradients (bifurcation); without both, training collapses.",
  source: {
    title: "Banner, Hubara, Hoffer, Soudry 2018, Scalable methods for 8-bit training of neural networks",
    url: "https://arxiv.org/abs/1805.11046",
    where: "sections 3 to 6",
  },
  published: {
    note: "Top-1 of ResNet-50 on ImageNet, from curves (0.5 points). The grid's second numbers are those of our pilot in PyTorch: the same perceptron, two seeds, grids from the least to the largest number.",
    numbers: { float: 72.7, "8 bits": 71.7 },
  },
  version: 1,
  scales: {
    smoke: {
      description: "The perceptron on the 600 pictures that come with Modicum.",
      seeds: 1,
      minutes: 0.5,
      data: ["example"],
      design: {
        grid: mlp({ ...MLP, data: { set: "example" }, epochs: 2, batch: { size: 50 }, evaluation: { every: 2 } }, 0.6),
        others: [],
      },
    },
    small: {
      description:
        "MLP 784-128-128-10 on 6,000 pictures of MNIST for three epochs at a constant rate, as in the pilot; a small convnet on 4,000 of Fashion-MNIST and ResNet-8 on 4,000 of CIFAR-10, both of half width, for four epochs.",
      seeds: 3,
      minutes: 20,
      data: ["mnist", "fashion-mnist", "cifar10"],
      design: { grid: mlp(MLP, 3), others: others(4, 4000, [20, 25]) },
    },
    full: {
      description: "The MLP on all of MNIST for ten epochs; the convnet and ResNet-8 on all pictures for twenty.",
      seeds: 3,
      minutes: 600,
      data: ["mnist", "fashion-mnist", "cifar10"],
      design: {
        grid: mlp({ ...MLP, data: { set: "mnist" }, epochs: 10, evaluation: { every: 10 } }, 60),
        others: others(20, undefined, [900, 1200]),
      },
    },
  },

  units: ({ grid, others }) => [
    ...gridVariants().map((variant) => unitOf(grid, variant)),
    {
      key: "mlp/cosines",
      seconds: 3 * grid.seconds,
      run: async (lab) => ({ ...NOTHING, cosines: await measureCosines(lab, grid) }),
    },
    ...others.flatMap((task) => COMPARED.map((variant) => unitOf(task, variant))),
  ],

  findings: (results, { grid, others }) => ({
    tables: [gridTable(results), variantTable(results, grid), ...others.map((task) => comparedTable(results, task))],
    plots: [cosinePlot(results), sweepPlot(results)],
    claims: [...gridClaims(results), ...[grid, ...others].flatMap((task) => comparedClaims(results, task))],
    notes: [
      "Accuracies are those of the exported networks: integer ONNX models for 8 bits and below. Range BN divides the batch into 10 parts for the MLP, 16 elsewhere.",
      "Nothing is kept in float but batch norms, biases and what the optimizer adds to: first and last layers are quantized too. The 16-bit copy of bifurcation is rounded to nearest.",
      "Products below 8 bits, and those of convolutions as narrow as these, are computed in float on the same grids; seconds are those of whatever else the machine did, and no measure of what integers gain. See speed.md for that.",
    ],
  }),
};

/** Of units that train nothing to be compared. */
const NOTHING: EightBitResult = { top1: 0, right: "", evaluated: 0, seconds: 0, bytes: 0, failure: null };

function gridVariants(): readonly Variant[] {
  return [
    FLOAT,
    FLOAT_RANGE,
    PLAIN,
    DEFAULTS,
    ...GRID_ROWS.flatMap((row) => INGREDIENTS.map((ingredients) => gridVariant(row, ingredients))),
    ...SWEPT_BITS.map(sweptVariant),
    ...LOGARITHMIC,
  ];
}

function unitOf(task: Task, variant: Variant): Unit<EightBitResult> {
  return { key: keyOf(task, variant), seconds: task.seconds, run: (lab) => train(lab, task, variant) };
}

const keyOf = (task: Pick<Task, "key">, { key }: Variant): string => `${task.key}/${key}`;
const GRID = { key: "mlp" };

function right(results: Found, key: string): Uint8Array[] {
  return results.of(key).map((result) => unpackOutcomes(result.right));
}

const top1 = (results: Found, key: string): Estimate => accuracy(right(results, key));

/** By how many points the second is better, picture by picture. */
const gained = (results: Found, from: string, to: string): Estimate =>
  pairedDifference(right(results, from), right(results, to));

const mean = (results: Found, key: string, of: (result: EightBitResult) => number): Estimate =>
  estimate(results.of(key).map(of));

function gridTable(results: Found): ResultTable {
  return {
    title: "Ingredients and bits of gradients",
    note: "MLP with Range BN on MNIST, top-1 in percent: ours, then the pilot's. Grids go from the least to the largest number, as published, which leaves 0 between two codes; in the last row 0 is a code.",
    columns: [
      { key: "bits", header: "bits of gradients (weights, activations)" },
      ...INGREDIENTS.flatMap(({ key, name }) => [
        { key, header: name },
        { key: `${key}-pilot`, header: "pilot", digits: 1 },
      ]),
    ],
    rows: GRID_ROWS.map((row) => ({
      bits: `${row.gradients} (${row.others})${row.grid === "zero" ? ", 0 exact" : ""}`,
      ...Object.fromEntries(
        INGREDIENTS.flatMap((one, index) => [
          [one.key, top1(results, keyOf(GRID, gridVariant(row, one)))],
          [`${one.key}-pilot`, row.published?.[index] ?? null],
        ]),
      ),
    })),
  };
}

const COLUMNS = [
  { key: "variant", header: "network" },
  { key: "top1", header: "exported %" },
  { key: "evaluated", header: "in training %" },
  { key: "kilobytes", header: "file, kB", digits: 0 },
  { key: "seconds", header: "training, s", digits: 1 },
] as const;

function variantRows(results: Found, task: Pick<Task, "key">, variants: readonly Variant[]) {
  return variants.map((variant) => {
    const key = keyOf(task, variant);
    return {
      variant: variant.name,
      top1: top1(results, key),
      evaluated: mean(results, key, ({ evaluated }) => evaluated),
      kilobytes: mean(results, key, ({ bytes }) => bytes / 1000).mean,
      seconds: mean(results, key, ({ seconds }) => seconds).mean,
    };
  });
}

function variantTable(results: Found, task: Task): ResultTable {
  const named = SWEPT_BITS.map((bits) => ({ ...sweptVariant(bits), name: `all in ${bits} bits, bifurcation` }));
  return {
    title: `${task.title}: float, 8 bits and below`,
    note: "8 bits: the defaults, without bifurcation. LUQ: gradients that are powers of two, all else in 8 bits.",
    columns: COLUMNS,
    rows: variantRows(results, task, [FLOAT, FLOAT_RANGE, PLAIN, DEFAULTS, ...named, ...LOGARITHMIC]),
  };
}

function comparedTable(results: Found, task: Task): ResultTable {
  return { title: task.title, columns: COLUMNS, rows: variantRows(results, task, COMPARED) };
}

function cosinePlot(results: Found): ResultPlot {
  const found = results.of("mlp/cosines").map(({ cosines = [] }) => cosines);
  const layers = [...new Set(found.flatMap((cosines) => cosines.map(({ layer }) => layer)))];
  const points = layers.flatMap((layer) =>
    PREDICTED.bits.map((bits) => {
      const own = found.map((cosines) => cosines.find((one) => one.layer === layer && one.bits === bits)!.cosine);
      const { mean: y, standardError } = estimate(own);
      return { series: layer, x: bits, y, standardError };
    }),
  );
  const predicted = PREDICTED.bits.map((bits) => ({
    series: "one normal vector",
    x: bits,
    y: predictedCosine({ bits, count: PREDICTED.size }),
  }));
  return linePlot({
    id: "cosines",
    title: "Cosine of weight gradients with those of float",
    caption:
      "A trained MLP; weights, activations and gradients in so many bits, with bifurcation and stochastic rounding. The line of a normal vector is what rounding it once predicts; gradients have heavier tails, and are rounded layer after layer.",
    xLabel: "bits",
    yLabel: "cosine",
    ticks: PREDICTED.bits,
    points: [...points, ...predicted],
  });
}

function sweepPlot(results: Found): ResultPlot {
  const float = top1(results, keyOf(GRID, FLOAT_RANGE)).mean;
  return linePlot({
    id: "bits",
    title: "Accuracy by bits",
    caption:
      "MLP on MNIST, everything in so many bits, with bifurcation and stochastic rounding. Bars are one standard error.",
    xLabel: "bits of weights, activations and gradients",
    yLabel: "top-1, %",
    ticks: SWEPT_BITS,
    points: SWEPT_BITS.map((bits) => {
      const { mean: y, standardError } = top1(results, keyOf(GRID, sweptVariant(bits)));
      return { series: "MLP", x: bits, y, standardError };
    }),
    references: [{ label: "float", y: Number(float.toFixed(1)) }],
  });
}

function gridClaims(results: Found): Claim[] {
  const cell = (row: GridRow, key: string): string =>
    keyOf(GRID, gridVariant(row, INGREDIENTS.find((one) => one.key === key)!));
  const below = GRID_ROWS.filter(({ gradients, grid }) => gradients === 4 && grid === "range");
  const exact = GRID_ROWS.find(({ grid }) => grid === "zero")!;
  const kept: Claim = {
    statement: "4-bit gradients with 0 exact: without both, training does not collapse, less than 10 points below",
    measured: gained(results, cell(exact, "both"), cell(exact, "neither")),
    unit: "points",
    above: -10,
    evidence: "clear",
    decisive: false,
  };
  const claims = below.flatMap((row): Claim[] => {
    const place = `4-bit gradients, ${row.others}-bit weights and activations`;
    const common = { unit: "points", evidence: "clear", decisive: true } as const;
    return [
      {
        ...common,
        statement: `${place}: bifurcation helps stochastic rounding`,
        measured: gained(results, cell(row, "stochastic"), cell(row, "both")),
        above: 0,
      },
      {
        ...common,
        statement: `${place}: stochastic rounding helps bifurcation`,
        measured: gained(results, cell(row, "bifurcation"), cell(row, "both")),
        above: 0,
      },
      {
        ...common,
        statement: `${place}: without both, training collapses, 30 points or more below`,
        measured: gained(results, cell(row, "both"), cell(row, "neither")),
        below: -30,
      },
    ];
  });
  return [...claims, kept];
}

function comparedClaims(results: Found, task: Task): Claim[] {
  const key = (variant: Variant): string => keyOf(task, variant);
  const common = { unit: "points", evidence: "consistent" } as const;
  const float = task.key === GRID.key ? FLOAT_RANGE : FLOAT;
  return [
    ...[PLAIN, DEFAULTS].map(
      (variant): Claim => ({
        ...common,
        statement: `${task.title}: ${variant.name}, within 1 point of ${variant === PLAIN ? FLOAT.name : float.name}`,
        measured: gained(results, key(variant === PLAIN ? FLOAT : float), key(variant)),
        above: -1,
        below: 1,
        decisive: variant === PLAIN || float === FLOAT_RANGE,
      }),
    ),
    {
      ...common,
      statement: `${task.title}: the integer model decides as the network did in training, within 0.2 points`,
      measured: mean(results, key(DEFAULTS), ({ top1: exported, evaluated }) => exported - evaluated),
      above: -0.2,
      below: 0.2,
      decisive: true,
    },
  ];
}
