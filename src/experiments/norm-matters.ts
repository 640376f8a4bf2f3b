/** Norm matters: what weight decay does before a normalization, and weights of fixed length. */
import type { Optimizer } from "../build/index.ts";
import { channelNorms, channelNormsOf, type RecipeInput, rotation } from "../fit/index.ts";
import { type ChannelNorms, correctedRate, normSchedule } from "../optim/index.ts";
import type { Claim } from "./claims.ts";
import { accuracy, type Estimate, estimate, pairedDifference } from "./estimate.ts";
import type { Experiment, Lab, Results, ResultTable, Unit } from "./experiment.ts";
import { linePlot } from "./line-plot.ts";
import { unpackOutcomes } from "./right-or-wrong.ts";
import { trainBriefly } from "./train-briefly.ts";

interface NormMattersDesign {
  /** Data of the perceptron and of the convnet. */
  readonly data: { readonly perceptron: RecipeInput["data"]; readonly convnet: RecipeInput["data"] };
  readonly epochs: { readonly decay: number; readonly weights: number };
  readonly batch: number;
  readonly testSamples: number;
  /** About how long one training takes on two cores. */
  readonly seconds: { readonly decay: number; readonly weights: number };
}

/** One trained network. */
interface NormMattersResult {
  readonly top1: number;
  readonly right: string;
  readonly curve: readonly { readonly epoch: number; readonly top1: number }[];
  /** Mean norm of the channels of the first layer by epoch; empty where it was not asked for. */
  readonly firstNorms: readonly number[];
  /** All norms, of the run that others follow. */
  readonly norms: ChannelNorms | null;
  /** Turn of the first layer in a step before the rate first falls, in radians: measured, and at equilibrium. */
  readonly turn: { readonly measured: number; readonly equilibrium: number } | null;
}

const RATE = 0.1;
const DECAY = 5e-3;
const MOMENTUM = 0.9;
/** Shares of the run after which the rate falls to a tenth. */
const FALLS = [0.6, 0.85];
const FIRST_LAYER = "hidden.0.linear.weight";

const DECAY_RUNS = [
  { key: "on", name: "weight decay" },
  { key: "off", name: "no decay" },
  { key: "corrected", name: "no decay, corrected rates" },
  { key: "norm-schedule", name: "no decay, scheduled norms" },
] as const;
type DecayRun = (typeof DECAY_RUNS)[number]["key"];

const WEIGHT_RUNS = [
  { key: "bn", name: "batch norm", normalization: { kind: "batch" }, weights: undefined },
  { key: "bwn", name: "bounded weight norm", normalization: { kind: "none" }, weights: { kind: "bwn" } },
  { key: "bwn-g", name: "bounded weight norm, learned gains", normalization: { kind: "none" }, weights: { kind: "bwn-g" } },
  { key: "wn", name: "weight norm", normalization: { kind: "none" }, weights: { kind: "wn" } },
] as const; // biome-ignore format: a table

export const normMatters: Experiment<NormMattersDesign, NormMattersResult> = {
  id: "norm-matters",
  title: "Norm matters: weight decay, norms and learning rates",
  claim:
    "Before batch normalization, weight decay only keeps the effective learning rate up; rates corrected for each channel, or norms that are scheduled, do the same without it. Weights of bounded norm come near batch normalization.",
  source: {
    title:
      "Hoffer, Banner, Golan, Soudry 2018, Norm matters: efficient and accurate normalization schemes in deep networks",
    url: "https://arxiv.org/abs/1803.01814",
    where: "sections 2 to 4, figures 1 and 2",
  },
  published: {
    note: "Top-1 of ResNet-50 on ImageNet (section 4). The study of weight decay was published as curves only: VGG-11 on CIFAR-10 for 80 epochs. Other networks and data: orders are comparable, numbers are not.",
    numbers: { "batch norm": 75.3, "bounded weight norm": 73.8, "weight norm": 67 },
  },
  version: 1,
  scales: {
    smoke: {
      description: "A tiny perceptron and convnet for a few passes over the 600 pictures that come with Modicum.",
      seeds: 1,
      minutes: 0.5,
      data: ["example"],
      design: {
        data: { perceptron: { set: "example" }, convnet: { set: "example" } },
        epochs: { decay: 5, weights: 2 },
        batch: 25,
        testSamples: 100,
        seconds: { decay: 1, weights: 1.5 },
      },
    },
    small: {
      description:
        "MLP 784-128-128-10 with batch norm on 8,000 pictures of MNIST for 12 epochs, with ten times the published decay for the shorter run; small convnet on 12,000 pictures of Fashion-MNIST for 5 epochs.",
      seeds: 3,
      minutes: 20,
      data: ["mnist", "fashion-mnist"],
      design: {
        data: {
          perceptron: { set: "mnist", limit: 8000 },
          convnet: { set: "fashion-mnist", limit: 12_000 },
        },
        epochs: { decay: 12, weights: 5 },
        batch: 128,
        testSamples: 10_000,
        seconds: { decay: 8, weights: 24 },
      },
    },
    full: {
      description:
        "MLP 784-128-128-10 with batch norm on all of MNIST for 40 epochs; small convnet on all of Fashion-MNIST for 30 epochs, from three seeds. The published runs are VGG-11 on CIFAR-10 and ResNet-50 on ImageNet.",
      seeds: 3,
      minutes: 180,
      data: ["mnist", "fashion-mnist"],
      design: {
        data: { perceptron: { set: "mnist" }, convnet: { set: "fashion-mnist" } },
        epochs: { decay: 40, weights: 30 },
        batch: 128,
        testSamples: 10_000,
        seconds: { decay: 120, weights: 600 },
      },
    },
  },

  units: (design) => [
    ...DECAY_RUNS.map(
      ({ key }): Unit<NormMattersResult> => ({
        key: `decay/${key}`,
        seconds: design.seconds.decay,
        run: (lab) => trainDecay(lab, key, design),
      }),
    ),
    ...WEIGHT_RUNS.map(
      (row): Unit<NormMattersResult> => ({
        key: `weights/${row.key}`,
        seconds: design.seconds.weights,
        run: (lab) => trainWeights(lab, row, design),
      }),
    ),
  ],

  findings: (results, design) => ({
    tables: [decayTable(results, design), weightsTable(results)],
    plots: [
      linePlot({
        id: "decay",
        title: "Top-1 by epoch",
        caption:
          "MLP with batch norm, mean over seeds. The learning rate falls to a tenth after 60 % and 85 % of the epochs.",
        xLabel: "epoch",
        yLabel: "top-1, %",
        points: curvePoints(results, ({ curve }) => curve.map(({ top1 }) => top1)),
      }),
      linePlot({
        id: "norms",
        title: "Mean channel norm of the first layer",
        caption: "Logarithm to base 10: corrected rates grow with the norms, and the norms with them.",
        xLabel: "epoch",
        yLabel: "log10 of the norm",
        points: curvePoints(results, ({ firstNorms }) => firstNorms.map(Math.log10)),
      }),
    ],
    claims: claimsOf(results, design),
    notes: [
      "Weight decay off means off for all parameters but those of the last layer, as published; on means on for all.",
      "Norms are recorded at the end of each epoch, and hold for all of its steps in the runs that follow them.",
      "Accuracies are those of the last epoch.",
    ],
  }),
};

async function trainDecay(lab: Lab<NormMattersResult>, key: DecayRun, design: NormMattersDesign) {
  const { epochs, batch, testSamples } = design;
  const recipe: RecipeInput = {
    model: { name: "mlp", width: 0.5, normalization: { kind: "batch" } },
    data: design.data.perceptron,
    epochs: epochs.decay,
    batch: { size: batch },
    optimizer: {
      kind: "sgd",
      momentum: MOMENTUM,
      weightDecay: key === "on" ? DECAY : 0,
      groups: key === "on" ? [] : [{ match: "^head\\.", weightDecay: DECAY }],
    },
    learningRate: RATE,
    schedule: { kind: "multi-step", milestones: FALLS.map((share) => share * epochs.decay) },
  };
  const isHidden = (path: string): boolean => path.startsWith("hidden.");
  const result = await trainBriefly(lab, {
    recipe,
    testSamples,
    changeOptimizer: (optimizer) => followNorms(optimizer, key, () => lab.result("decay/on").norms!),
    probes: {
      norms: channelNorms({ match: isHidden }),
      ...(key === "on" && {
        turn: rotation({
          match: (path) => path === FIRST_LAYER,
          equilibrium: { weightDecay: DECAY, momentum: MOMENTUM },
        }),
      }),
    },
  });
  const norms = channelNormsOf(result.events, "norms");
  const before = lastBeforeFall(epochs.decay);
  const turned = result.events.find(({ type, epoch, ...event }) => type === "probe" && "name" in event && event.name === "turn" && epoch === before); // biome-ignore format: one condition
  const values = turned?.type === "probe" ? turned.values : undefined;
  return {
    ...kept(result),
    firstNorms: norms.norms[FIRST_LAYER]!.map(mean),
    norms: key === "on" ? norms : null,
    turn: values ? { measured: values[FIRST_LAYER]!, equilibrium: values.equilibrium! } : null,
  };
}

function followNorms(optimizer: Optimizer, key: DecayRun, recorded: () => ChannelNorms): Optimizer {
  if (key === "corrected") return correctedRate(optimizer, { norms: recorded() });
  if (key === "norm-schedule") return normSchedule(optimizer, { norms: recorded(), learningRate: RATE });
  return optimizer;
}

async function trainWeights(
  lab: Lab<NormMattersResult>,
  { normalization, weights }: (typeof WEIGHT_RUNS)[number],
  { data, epochs, batch, testSamples }: NormMattersDesign,
): Promise<NormMattersResult> {
  const recipe: RecipeInput = {
    model: { name: "small-convnet", normalization, ...(weights && { weightNormalization: weights }) },
    data: data.convnet,
    epochs: epochs.weights,
    batch: { size: batch },
    optimizer: { kind: "sgd", momentum: MOMENTUM },
    learningRate: RATE,
  };
  return { ...kept(await trainBriefly(lab, { recipe, testSamples })), firstNorms: [], norms: null, turn: null };
}

function kept({ top1, right, curve }: Pick<NormMattersResult, "top1" | "right" | "curve">) {
  return { top1, right, curve };
}

/** The last whole epoch at the first rate. */
function lastBeforeFall(epochs: number): number {
  return Math.max(1, Math.ceil(FALLS[0]! * epochs) - 1);
}

const right = (results: Results<NormMattersResult>, key: string): Uint8Array[] =>
  results.of(key).map((result) => unpackOutcomes(result.right));
const finalTop1 = (results: Results<NormMattersResult>, key: string): Estimate => accuracy(right(results, key));
const beforeFall = (results: Results<NormMattersResult>, key: string, { epochs }: NormMattersDesign): number[] =>
  results.of(key).map(({ curve }) => curve[lastBeforeFall(epochs.decay) - 1]!.top1);

function decayTable(results: Results<NormMattersResult>, design: NormMattersDesign): ResultTable {
  return {
    title: "Weight decay and what takes its place",
    note: "MLP with batch norm. Percent of test pictures, ± one standard error; norms are means over the channels of the first layer.",
    columns: [
      { key: "run", header: "run" },
      { key: "before", header: "before the rate falls %" },
      { key: "final", header: "in the end %" },
      { key: "first", header: "norm after the first epoch" },
      { key: "last", header: "norm in the end" },
    ],
    rows: DECAY_RUNS.map(({ key, name }) => {
      const found = results.of(`decay/${key}`);
      return {
        run: name,
        before: estimate(beforeFall(results, `decay/${key}`, design)),
        final: finalTop1(results, `decay/${key}`),
        first: mean(found.map(({ firstNorms }) => firstNorms[0]!)),
        last: mean(found.map(({ firstNorms }) => firstNorms.at(-1)!)),
      };
    }),
  };
}

function weightsTable(results: Results<NormMattersResult>): ResultTable {
  return {
    title: "Norms of weights in the place of batch norm",
    note: "Small convnet on Fashion-MNIST beside the published ResNet-50 on ImageNet.",
    columns: [
      { key: "network", header: "normalization" },
      { key: "ours", header: "ours %" },
      { key: "published", header: "published %" },
    ],
    rows: WEIGHT_RUNS.map(({ key, name }) => ({
      network: name,
      ours: finalTop1(results, `weights/${key}`),
      published: normMatters.published.numbers[name] ?? null,
    })),
  };
}

function curvePoints(
  results: Results<NormMattersResult>,
  numbersOf: (result: NormMattersResult) => readonly number[],
): { series: string; x: number; y: number }[] {
  return DECAY_RUNS.flatMap(({ key, name }) => {
    const seeds = results.of(`decay/${key}`).map(numbersOf);
    return seeds[0]!.map((_, i) => ({ series: name, x: i + 1, y: mean(seeds.map((numbers) => numbers[i]!)) }));
  });
}

function claimsOf(results: Results<NormMattersResult>, design: NormMattersDesign): Claim[] {
  const gained = (from: string, to: string): Estimate => pairedDifference(right(results, from), right(results, to));
  const early = (from: string, to: string): Estimate => {
    const [a, b] = [beforeFall(results, from, design), beforeFall(results, to, design)];
    return estimate(a.map((top1, seed) => b[seed]! - top1));
  };
  const norm = (key: string): number[] => results.of(`decay/${key}`).map(({ firstNorms }) => firstNorms.at(-1)!);
  const ratio = (a: readonly number[], b: readonly number[]): Estimate => estimate(a.map((x, seed) => x / b[seed]!));
  const turns = results.of("decay/on").map(({ turn }) => turn!);
  const turn = estimate(turns.map(({ measured, equilibrium }) => measured / equilibrium));
  const clear = { evidence: "clear", decisive: true } as const;
  const consistent = { evidence: "consistent", decisive: true } as const;
  const shown = { evidence: "consistent", decisive: false } as const;
  const points = { unit: "points" };
  return [
    { statement: "weight decay is better in the end, by 0.3 points or more", measured: gained("decay/off", "decay/on"), ...points, above: 0.3, ...consistent },
    { statement: "weight decay is worse before the rate falls", measured: early("decay/off", "decay/on"), ...points, below: 0, ...clear },
    { statement: "corrected rates are worse than no decay before the rate falls, as weight decay is", measured: early("decay/off", "decay/corrected"), ...points, below: 0, ...clear },
    { statement: "corrected rates are no worse than no decay in the end", measured: gained("decay/off", "decay/corrected"), ...points, above: 0, ...consistent },
    { statement: "scheduled norms are no worse than no decay in the end", measured: gained("decay/off", "decay/norm-schedule"), ...points, above: 0, ...consistent },
    { statement: "norms end smaller with decay than without", measured: ratio(norm("on"), norm("off")), unit: "times", below: 0.8, ...clear },
    { statement: "norms grow with corrected rates far beyond those without", measured: ratio(norm("corrected"), norm("off")), unit: "times", above: 2, ...clear },
    { statement: "the first layer turns by about sqrt(2 eta lambda / (1 + momentum)) in a step", measured: turn, unit: "times that", above: 0.7, below: 1.3, ...shown },
    { statement: "bounded weight norm comes within 3 points of batch norm", measured: gained("weights/bn", "weights/bwn"), ...points, above: -3, ...shown },
    { statement: "bounded weight norm is no worse than weight norm", measured: gained("weights/wn", "weights/bwn"), ...points, above: 0, ...shown },
  ]; // biome-ignore format: a table
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
