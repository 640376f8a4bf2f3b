/** The random walk of weights: how their distance from the start grows, and the potential that they walk on. */
import { openTrainingData } from "../files/index.ts";
import {
  type DistanceFit,
  type DistanceRecord,
  distanceFit,
  distanceFromInitialization,
  type LossSpread,
  lossSpread,
  parseRecipe,
  planTraining,
  type RecipeInput,
} from "../fit/index.ts";
import { initialVariables } from "../train/index.ts";
import type { Claim } from "./claims.ts";
import { type Estimate, estimate } from "./estimate.ts";
import type { Lab, ResultTable } from "./experiment.ts";
import { linePlot, type ResultPlot } from "./line-plot.ts";
import { trainBriefly } from "./train-briefly.ts";

/** What walks, and for how long. */
export interface WalkDesign {
  readonly recipe: RecipeInput;
  /** Training samples. */
  readonly samples: number;
  /** Runs; the first is that of the smallest batch, which the others' rates are scaled from. */
  readonly runs: readonly WalkRun[];
  /** Training samples that the loss is measured on at random places. */
  readonly potentialBatch: number;
  readonly potentialSeconds: number;
}

/** One run at a constant rate. */
export interface WalkRun {
  readonly batch: number;
  readonly updates: number;
  /** Whether the rate grows with the root of the batch, and batch norms see ghost batches of the first run's size. */
  readonly remedies: boolean;
  readonly seconds: number;
}

/** Name of a run's unit. */
export function walkKey({ batch, remedies }: WalkRun): string {
  return `walk/batch-${batch}${remedies ? "-remedies" : ""}`;
}

/** Trains at a constant rate and returns the distance from the start after 1, 2, 4, 8, ... updates. */
export async function walk(lab: Lab, design: WalkDesign, run: WalkRun): Promise<DistanceRecord[]> {
  const [{ batch: reference }] = design.runs as readonly [WalkRun];
  const epochs = run.updates / Math.floor(design.samples / run.batch);
  const scaling = run.remedies ? "sqrt" : "none";
  const recipe: RecipeInput = {
    ...design.recipe,
    data: { ...design.recipe.data, limit: design.samples },
    epochs,
    batch: { size: run.batch, reference, scaling, chunks: run.remedies ? run.batch / reference : 1 },
    schedule: { kind: "constant" },
    evaluation: { every: epochs },
  };
  const probes = { distance: distanceFromInitialization({ doubling: true }) };
  const { events } = await trainBriefly(lab, { recipe, testSamples: 100, probes });
  return events.flatMap((event) =>
    event.type === "probe" ? [{ step: event.step, distance: event.values.total! }] : [],
  );
}

/** Measures the spread of the loss around the initial weights. */
export async function potential(lab: Lab, { recipe, samples, potentialBatch }: WalkDesign): Promise<LossSpread> {
  const { set } = lab.dataSet(recipe.data.set);
  const data = { ...recipe.data, set, limit: samples };
  const parsed = parseRecipe({ ...recipe, data, batch: { size: potentialBatch }, seed: lab.seed }, "potential");
  const opened = await openTrainingData(set, { ...parsed.data, seed: lab.seed });
  const plan = planTraining(parsed, opened);
  const variables = initialVariables(plan.step.variables, plan.seed);
  for await (const batch of plan.batches(0, 0)) {
    return lossSpread(plan, { runtime: lab.runtime, variables, batch, directions: 30, seed: lab.seed });
  }
  throw new Error("internal: a plan has at least one batch.");
}

/** What was measured, from all seeds. */
export interface WalkResults {
  readonly design: WalkDesign;
  /** Distances by run and seed. */
  readonly distances: (run: WalkRun) => readonly (readonly DistanceRecord[])[];
  readonly potentials: readonly LossSpread[];
}

/** Returns the slopes by batch size, with how well each law fits, and the potential. */
export function walkTables({ design, distances, potentials }: WalkResults): ResultTable[] {
  return [
    {
      title: "Distance from the start",
      note: "||w_t - w_0|| over all parameters at a constant rate, from update 8 on; ± one standard error over seeds. A large batch bends over once it fits its data.",
      columns: [
        { key: "batch", header: "batch", digits: 0 },
        { key: "rate", header: "rate and statistics" },
        { key: "updates", header: "updates", digits: 0 },
        { key: "slope", header: "slope against ln t" },
        { key: "log", header: "R² of a + b ln t", digits: 3 },
        { key: "sqrt", header: "R² of a + b √t", digits: 3 },
        { key: "power", header: "R² of a t^b", digits: 3 },
      ],
      rows: design.runs.map((run) => {
        const fits = distances(run).map((records) => distanceFit(records));
        return {
          batch: run.batch,
          rate: run.remedies ? "rate by the root rule, ghost batches" : "the same rate, whole batch",
          updates: run.updates,
          slope: over(fits, ({ log }) => log.slope),
          log: over(fits, ({ log }) => log.r2),
          sqrt: over(fits, ({ sqrt }) => sqrt.r2),
          power: over(fits, ({ power }) => power.r2),
        };
      }),
    },
    {
      title: "Spread of the loss around the initial weights",
      note: "Standard deviation over 30 random directions; its growth gives alpha.",
      columns: [
        { key: "distance", header: "distance" },
        { key: "std", header: "standard deviation", digits: 4 },
      ],
      rows: [
        ...potentials[0]!.spread.map(({ distance }, i) => ({
          distance,
          std: estimate(potentials.map(({ spread }) => spread[i]!.std)),
        })),
        { distance: "alpha", std: estimate(potentials.map(({ alpha }) => alpha)) },
      ],
    },
  ];
}

/** Draws distances against the logarithm of updates. */
export function walkPlot({ design, distances }: WalkResults): ResultPlot {
  return linePlot({
    id: "walk",
    title: "Distance from the start by updates",
    caption: "Each step to the right is twice the updates: growth with the logarithm is a straight line. First seed.",
    xLabel: "log2 of updates",
    yLabel: "distance from the initial weights",
    points: design.runs.flatMap((run) =>
      distances(run)[0]!.map(({ step, distance }) => ({
        series: `batch ${run.batch}${run.remedies ? ", remedies" : ""}`,
        x: Math.log2(step),
        y: distance,
      })),
    ),
  });
}

/** Judges the law of growth, and the potential. */
export function walkClaims({ design, distances, potentials }: WalkResults): Claim[] {
  const [first, ...others] = design.runs as readonly [WalkRun, ...WalkRun[]];
  const fits = distances(first).map((records) => distanceFit(records));
  const decisive = { evidence: "clear", decisive: true } as const;
  const largest = Math.max(...others.map(({ batch }) => batch));
  const slopeOff = (remedies: boolean): number[] => {
    const run = others.find(({ batch, remedies: has }) => batch === largest && has === remedies)!;
    return distances(run).map((records, i) => Math.abs(distanceFit(records).log.slope / fits[i]!.log.slope - 1));
  };
  const [raw, remedied] = [slopeOff(false), slopeOff(true)];
  return [
    {
      statement: `with batches of ${first.batch} the distance grows with the logarithm of updates: R² over 0.98`,
      measured: over(fits, ({ log }) => log.r2),
      above: 0.98,
      ...decisive,
    },
    {
      statement: "a logarithm fits better than a root",
      measured: over(fits, ({ log, sqrt }) => log.r2 - sqrt.r2),
      above: 0,
      ...decisive,
    },
    {
      statement: "the spread of the loss grows in proportion to the distance: alpha between 1.6 and 2.4",
      measured: estimate(potentials.map(({ alpha }) => alpha)),
      above: 1.6,
      below: 2.4,
      ...decisive,
    },
    {
      statement: `root scaling and ghost batches bring the slope of batches of ${largest} nearer to that of ${first.batch}`,
      measured: estimate(raw.map((off, i) => off - remedied[i]!)),
      above: 0,
      evidence: "clear",
      decisive: false,
    },
  ];
}

function over(fits: readonly DistanceFit[], of: (fit: DistanceFit) => number): Estimate {
  return estimate(fits.map(of));
}
