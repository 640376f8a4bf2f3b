/** Clocks for the learning rate: it falls after so many updates, on plateaus of the validation error, or by distance travelled. */
import { type DistanceRecord, distanceFromInitialization, type RecipeInput, type RunEvent } from "../fit/index.ts";
import type { Claim } from "./claims.ts";
import { accuracy, estimate, pairedDifference } from "./estimate.ts";
import type { Lab, ResultTable } from "./experiment.ts";
import { COLUMNS, type Setting } from "./large-batch-settings.ts";
import { linePlot, type ResultPlot } from "./line-plot.ts";
import { unpackOutcomes } from "./right-or-wrong.ts";
import { trainBriefly } from "./train-briefly.ts";

/** What the rate is multiplied by at each fall, whatever the clock. */
const FACTOR = 0.1;

/** Evaluations in a run, and those in a row without a better one that make a plateau. */
const EVALUATIONS = 20;
const PATIENCE = 3;

/** A batch size and the clock of its learning rate. */
export interface Clock {
  readonly key: string;
  readonly name: string;
  /** Which column of the table is trained otherwise. */
  readonly column: "sb" | "ra";
  readonly kind: "updates" | "plateau" | "distance";
}

/** In this order: the distances are those of the first. */
export const CLOCKS: readonly Clock[] = [
  { key: "small-updates", name: "SB, at 50 and 80 % of the updates", column: "sb", kind: "updates" },
  { key: "small-plateau", name: "SB, on plateaus of the validation error", column: "sb", kind: "plateau" },
  { key: "large-updates", name: "+RA, at 50 and 80 % of the updates", column: "ra", kind: "updates" },
  { key: "large-plateau", name: "+RA, on plateaus of the validation error", column: "ra", kind: "plateau" },
  { key: "large-distance", name: "+RA, as far from the start as SB", column: "ra", kind: "distance" },
];

/** What came of a run. */
export interface ClockResult {
  readonly right: string;
  readonly updates: number;
  /** Updates after which the rate fell. */
  readonly falls: readonly number[];
  /** Distance from the start at each evaluation, and top-1 on the validation part. */
  readonly distances: readonly DistanceRecord[];
  readonly validation: readonly { readonly step: number; readonly top1: number }[];
}

/** Name of a run's unit. */
export function clockKey(setting: Setting, { key }: Clock): string {
  return `${setting.key}/clock-${key}`;
}

/** A run with a clock. */
export interface ClockRun {
  readonly clock: Clock;
  readonly testSamples: number;
  /** What came of the first clock, unless this is it. */
  readonly first?: ClockResult | undefined;
}

/** Trains with a clock. */
export async function runClock(
  lab: Lab,
  setting: Setting,
  { clock, testSamples, first }: ClockRun,
): Promise<ClockResult> {
  const { recipe, clockValidation: validation } = setting;
  const every = recipe.epochs / EVALUATIONS;
  const changes = COLUMNS.find(({ key }) => key === clock.column)!.changes(setting);
  const { events, right } = await trainBriefly(lab, {
    recipe: {
      ...recipe,
      ...changes,
      // Few test pictures while training: it is the validation part that decides.
      data: { ...recipe.data, validation, testLimit: 100 },
      schedule: scheduleOf(clock, recipe, first),
      evaluation: { every },
    },
    testSamples,
    probes: { distance: distanceFromInitialization({ epochs: every * lengthening(setting, clock) }) },
  });
  return { right, ...readEvents(events) };
}

/** How many times as many epochs a clock's run has as the small batch's. */
function lengthening({ large, small }: Setting, { column }: Clock): number {
  return column === "ra" ? Math.ceil(large / small) : 1;
}

function scheduleOf(
  { kind }: Clock,
  { schedule }: RecipeInput,
  first: ClockResult | undefined,
): RecipeInput["schedule"] {
  if (kind === "updates") return schedule;
  if (kind === "plateau") return { kind, patience: PATIENCE, factor: FACTOR };
  return { kind, thresholds: distancesAtFalls(first!), factor: FACTOR };
}

/** How far the weights were when the rate fell; a second fall where they were no farther is left out. */
function distancesAtFalls({ falls, distances }: ClockResult): number[] {
  const found = falls.map((fall) => {
    const nearest = distances.reduce((a, b) => (Math.abs(b.step - fall) < Math.abs(a.step - fall) ? b : a));
    return nearest.distance;
  });
  return found.filter((distance, i) => i === 0 || distance > found[i - 1]!);
}

function readEvents(events: readonly RunEvent[]): Omit<ClockResult, "right"> {
  const falls: number[] = [];
  const distances: DistanceRecord[] = [];
  const validation: { step: number; top1: number }[] = [];
  let [level, updates] = [0, 0];
  for (const event of events) {
    const { step } = event;
    if (event.type === "probe") distances.push({ step, distance: event.values.total! });
    if (event.type === "evaluation" && event.split === "validation") validation.push({ step, top1: event.top1 });
    if (event.type !== "steps") continue;
    const rate = event.learningRate * (event.metrics.learningRateFactor ?? 1);
    level ||= rate;
    // Of a mean over steps before and after a fall, the next event tells.
    if (rate <= 1.001 * FACTOR * level) {
      falls.push(updates);
      level = rate;
    }
    updates = step;
  }
  return { updates, falls, distances, validation };
}

/** What was measured, from all seeds. */
export interface ClockResults {
  readonly setting: Setting;
  readonly of: (clock: Clock) => readonly ClockResult[];
}

const outcomes = (runs: readonly ClockResult[]) => runs.map(({ right }) => unpackOutcomes(right));

/** The clock of the same batch size that counts updates. */
const besides = ({ column }: Clock): Clock => CLOCKS.find((one) => one.column === column)!;

/** Returns when each clock let the rate fall, and what came of it. */
export function clockTable({ setting, of }: ClockResults): ResultTable {
  return {
    title: `Clocks for the rate: ${setting.title}`,
    note: `Percent of test pictures, points more than with falls at 50 and 80 % of the updates, and after how many percent of the updates the rate fell to a tenth. A plateau is ${PATIENCE} of ${EVALUATIONS} evaluations in a row that are no better than the best, on ${setting.clockValidation} training pictures held back.`,
    columns: [
      { key: "name", header: "training, falls" },
      { key: "top1", header: "top-1 %" },
      { key: "more", header: "points more" },
      { key: "first", header: "first fall %", digits: 0 },
      { key: "second", header: "second fall %", digits: 0 },
      { key: "falls", header: "falls", digits: 1 },
      { key: "distance", header: "distance at the end" },
    ],
    rows: CLOCKS.map((clock) => {
      const runs = of(clock);
      const fallShare = (which: number) => {
        const shares = runs.flatMap(({ falls, updates }) => (falls[which] ? [(100 * falls[which]) / updates] : []));
        return shares.length < runs.length ? null : estimate(shares);
      };
      return {
        name: clock.name,
        top1: accuracy(outcomes(runs)),
        more: clock.kind === "updates" ? null : pairedDifference(outcomes(of(besides(clock))), outcomes(runs)),
        first: fallShare(0),
        second: fallShare(1),
        falls: estimate(runs.map(({ falls }) => falls.length)),
        distance: estimate(runs.map(({ distances }) => distances.at(-1)!.distance)),
      };
    }),
  };
}

/** Draws the accuracy on the validation part by the share of the run. */
export function clockPlot({ setting, of }: ClockResults): ResultPlot {
  return linePlot({
    id: `clocks-${setting.key}`,
    title: `Validation accuracy by clock: ${setting.title}`,
    caption: `Top-1 on ${setting.clockValidation} training pictures held back, from a fifth of the run on; first seed. Where a line rises in a step, its rate fell.`,
    xLabel: "updates, % of the run",
    yLabel: "top-1 on the validation part, %",
    points: CLOCKS.flatMap((clock) => {
      const { updates, validation } = of(clock)[0]!;
      return validation
        .map(({ step, top1 }) => ({ series: clock.name, x: (100 * step) / updates, y: top1 }))
        .filter(({ x }) => x >= 20);
    }),
  });
}

/** Judges the clocks; the verdict does not depend on them, since there is no published number. */
export function clockClaims({ setting, of }: ClockResults): Claim[] {
  const more = (key: string, than: string) => {
    const [first, second] = [than, key].map((wanted) => outcomes(of(CLOCKS.find((clock) => clock.key === wanted)!)));
    return pairedDifference(first!, second!);
  };
  const common = { unit: "points", decisive: false } as const;
  return [
    ...(["small", "large"] as const).map(
      (size): Claim => ({
        statement: `${setting.title}: ${size === "small" ? "SB" : "+RA"} gains by keeping the rate on a plateau of the validation error`,
        measured: more(`${size}-updates`, `${size}-plateau`),
        above: 0,
        evidence: "clear",
        ...common,
      }),
    ),
    {
      statement: `${setting.title}: +RA with the distances at which SB's rate fell is within half a point of the fixed schedule`,
      measured: more("large-distance", "large-updates"),
      above: -0.5,
      below: 0.5,
      evidence: "consistent",
      ...common,
    },
  ];
}
