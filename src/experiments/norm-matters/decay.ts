/** Weight decay before a batch norm, and what does the same without it: arXiv:1803.01814, sections 2 and 3. */
import type { Optimizer } from "../../build/index.ts";
import { channelNorms, channelNormsOf, type RecipeInput, rotation } from "../../fit/index.ts";
import { type ChannelNorms, correctedRate, normSchedule } from "../../optim/index.ts";
import type { Claim } from "../claims.ts";
import { type Estimate, estimate } from "../estimate.ts";
import type { Lab, Results, ResultTable } from "../experiment.ts";
import { linePlot } from "../line-plot.ts";
import { trainBriefly } from "../train-briefly.ts";
import {
  FALLS,
  fallingRate,
  finalTop1,
  gained,
  kept,
  MOMENTUM,
  mean,
  type NormMattersDesign,
  type NormMattersResult,
  RATE,
  type Study,
} from "./design.ts";

type NormMattersResults = Results<NormMattersResult>;

const DECAY = 5e-3;
const FIRST_LAYER = "hidden.0.linear.weight";

const RUNS = [
  { key: "on", name: "weight decay" },
  { key: "off", name: "no decay" },
  { key: "corrected", name: "no decay, corrected rates" },
  { key: "norm-schedule", name: "no decay, scheduled norms" },
] as const;
type RunKey = (typeof RUNS)[number]["key"];

export const decayStudy: Study = {
  units: (design) =>
    RUNS.map(({ key }) => ({
      key: `decay/${key}`,
      seconds: design.seconds.decay,
      run: (lab) => train(lab, key, design),
    })),
  tables: (results, design) => [table(results, design)],
  plots: (results) => [
    linePlot({
      id: "decay",
      title: "Weight decay: top-1 by epoch",
      caption:
        "MLP with batch norm, mean over seeds. The learning rate falls to a tenth after 60 % and 85 % of the epochs.",
      xLabel: "epoch",
      yLabel: "top-1, %",
      points: curvePoints(results, ({ curve }) => curve.map(({ top1 }) => top1)),
    }),
    linePlot({
      id: "norms",
      title: "Weight decay: mean channel norm of the first layer",
      caption: "Logarithm to base 10: corrected rates grow with the norms, and the norms with them.",
      xLabel: "epoch",
      yLabel: "log10 of the norm",
      points: curvePoints(results, ({ decay }) => decay!.firstNorms.map(Math.log10)),
    }),
  ],
  claims,
};

async function train(lab: Lab<NormMattersResult>, key: RunKey, design: NormMattersDesign): Promise<NormMattersResult> {
  const { epochs, batch, testSamples } = design;
  const recipe: RecipeInput = {
    model: { name: "mlp", width: 0.5, normalization: { kind: "batch" } },
    data: design.data.perceptron,
    batch: { size: batch },
    optimizer: {
      kind: "sgd",
      momentum: MOMENTUM,
      weightDecay: key === "on" ? DECAY : 0,
      groups: key === "on" ? [] : [{ match: "^head\\.", weightDecay: DECAY }],
    },
    ...fallingRate(epochs.decay),
  };
  const isHidden = (path: string): boolean => path.startsWith("hidden.");
  const equilibrium = { weightDecay: DECAY, momentum: MOMENTUM };
  const result = await trainBriefly(lab, {
    recipe,
    testSamples,
    changeOptimizer: (optimizer) => followNorms(optimizer, key, () => lab.result("decay/on").decay!.norms!),
    probes: {
      norms: channelNorms({ match: isHidden }),
      ...(key === "on" && { turn: rotation({ match: (path) => path === FIRST_LAYER, equilibrium }) }),
    },
  });
  const norms = channelNormsOf(result.events, "norms");
  const before = lastBeforeFall(epochs.decay);
  const turned = result.events
    .filter((event) => event.type === "probe")
    .find(({ name, epoch }) => name === "turn" && epoch === before)?.values;
  return {
    ...kept(result),
    decay: {
      firstNorms: norms.norms[FIRST_LAYER]!.map(mean),
      norms: key === "on" ? norms : null,
      turn: turned ? { measured: turned[FIRST_LAYER]!, equilibrium: turned.equilibrium! } : null,
    },
  };
}

function followNorms(optimizer: Optimizer, key: RunKey, recorded: () => ChannelNorms): Optimizer {
  if (key === "corrected") return correctedRate(optimizer, { norms: recorded() });
  if (key === "norm-schedule") return normSchedule(optimizer, { norms: recorded(), learningRate: RATE });
  return optimizer;
}

/** The last whole epoch at the first rate. */
function lastBeforeFall(epochs: number): number {
  return Math.max(1, Math.ceil(FALLS[0] * epochs) - 1);
}

function beforeFall(results: NormMattersResults, key: string, { epochs }: NormMattersDesign): number[] {
  return results.of(key).map(({ curve }) => curve[lastBeforeFall(epochs.decay) - 1]!.top1);
}

function table(results: NormMattersResults, design: NormMattersDesign): ResultTable {
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
    rows: RUNS.map(({ key, name }) => {
      const norms = results.of(`decay/${key}`).map(({ decay }) => decay!.firstNorms);
      return {
        run: name,
        before: estimate(beforeFall(results, `decay/${key}`, design)),
        final: finalTop1(results, `decay/${key}`),
        first: mean(norms.map((epochs) => epochs[0]!)),
        last: mean(norms.map((epochs) => epochs.at(-1)!)),
      };
    }),
  };
}

function curvePoints(
  results: NormMattersResults,
  numbersOf: (result: NormMattersResult) => readonly number[],
): { series: string; x: number; y: number }[] {
  return RUNS.flatMap(({ key, name }) => {
    const seeds = results.of(`decay/${key}`).map(numbersOf);
    return seeds[0]!.map((_, i) => ({ series: name, x: i + 1, y: mean(seeds.map((numbers) => numbers[i]!)) }));
  });
}

function claims(results: NormMattersResults, design: NormMattersDesign): Claim[] {
  const early = (from: string, to: string): Estimate => {
    const [a, b] = [beforeFall(results, from, design), beforeFall(results, to, design)];
    return estimate(a.map((top1, seed) => b[seed]! - top1));
  };
  const final = (from: string, to: string): Estimate => gained(results, from, to);
  const norm = (key: string): number[] => results.of(`decay/${key}`).map(({ decay }) => decay!.firstNorms.at(-1)!);
  const ratio = (a: readonly number[], b: readonly number[]): Estimate => estimate(a.map((x, seed) => x / b[seed]!));
  const turns = results.of("decay/on").map(({ decay }) => decay!.turn!);
  const turn = estimate(turns.map(({ measured, equilibrium }) => measured / equilibrium));
  const clear = { evidence: "clear", decisive: true } as const;
  const consistent = { evidence: "consistent", decisive: true } as const;
  const points = { unit: "points" };
  return [
    { statement: "weight decay is better in the end, by 0.3 points or more", measured: final("decay/off", "decay/on"), ...points, above: 0.3, ...consistent },
    { statement: "weight decay is worse before the rate falls", measured: early("decay/off", "decay/on"), ...points, below: 0, ...clear },
    { statement: "corrected rates are worse than no decay before the rate falls, as weight decay is", measured: early("decay/off", "decay/corrected"), ...points, below: 0, ...clear },
    { statement: "corrected rates are no worse than no decay in the end", measured: final("decay/off", "decay/corrected"), ...points, above: 0, ...consistent },
    { statement: "scheduled norms are no worse than no decay in the end", measured: final("decay/off", "decay/norm-schedule"), ...points, above: 0, ...consistent },
    { statement: "norms end smaller with decay than without", measured: ratio(norm("on"), norm("off")), unit: "times", below: 0.8, ...clear },
    { statement: "norms grow with corrected rates far beyond those without", measured: ratio(norm("corrected"), norm("off")), unit: "times", above: 2, ...clear },
    { statement: "the first layer turns by about sqrt(2 eta lambda / (1 + momentum)) in a step", measured: turn, unit: "times that", above: 0.7, below: 1.3, evidence: "consistent", decisive: false },
  ]; // biome-ignore format: a table
}
