/** The curves of runs: one for each run and each number it reports. */
import { eventScalars } from "../event-scalars.ts";
import type { ReportedRun } from "./reported-run.ts";
import { thinnedIndices } from "./thin-curve.ts";

/** What curves are drawn over; time is seconds of work. */
export const CURVE_AXES = ["step", "epoch", "time"] as const;

/** Name of what curves are drawn over. */
export type CurveAxis = (typeof CURVE_AXES)[number];

/** One number of a run over its course. */
export interface Curve {
  /** Place of the run in the list of runs. */
  readonly run: number;
  readonly x: Readonly<Record<CurveAxis, readonly number[]>>;
  readonly y: readonly number[];
}

/** The same number of several runs. */
export interface CurveChart {
  /** As in `Scalar`. */
  readonly tag: string;
  readonly title: string;
  readonly group: CurveGroup;
  readonly curves: readonly Curve[];
}

/** Charts that stand together, in this order. */
export const CURVE_GROUPS = ["Accuracy", "Loss", "Learning rate and speed", "Norms and probes"] as const;

/** Name of charts that stand together. */
export type CurveGroup = (typeof CURVE_GROUPS)[number];

/** Most points a curve is drawn with. */
const MOST_POINTS = 400;

/** Returns a chart for each number that the runs report, ordered by group, evaluations before what training steps report. */
export function curveCharts(runs: readonly ReportedRun[]): readonly CurveChart[] {
  const charts = new Map<string, Curve[]>();
  for (const [run, { events }] of runs.entries()) {
    for (const [tag, curve] of curvesOf(run, events)) charts.set(tag, [...(charts.get(tag) ?? []), curve]);
  }
  return [...charts]
    .map(([tag, curves]) => ({ tag, curves: curves.map(thin), title: titleOf(tag), group: groupOf(tag) }))
    .sort((a, b) => rankOf(a) - rankOf(b));
}

function curvesOf(run: number, events: ReportedRun["events"]): Map<string, Curve> {
  const curves = new Map<string, { run: number; x: Record<CurveAxis, number[]>; y: number[] }>();
  for (const event of events) {
    for (const { tag, value } of eventScalars(event)) {
      const curve = curves.get(tag) ?? { run, x: { step: [], epoch: [], time: [] }, y: [] };
      curves.set(tag, curve);
      curve.x.step.push(event.step);
      curve.x.epoch.push(event.epoch);
      curve.x.time.push(event.seconds);
      curve.y.push(value);
    }
  }
  return curves;
}

function thin(curve: Curve): Curve {
  const kept = thinnedIndices(curve.x.step, curve.y, MOST_POINTS);
  const pick = (values: readonly number[]): number[] => kept.map((i) => Number(values[i]!.toPrecision(6)));
  const { step, epoch, time } = curve.x;
  return { run: curve.run, x: { step: pick(step), epoch: pick(epoch), time: pick(time) }, y: pick(curve.y) };
}

function rankOf({ group, tag }: CurveChart): number {
  return 10 * CURVE_GROUPS.indexOf(group) + (tag.endsWith("/train") ? 5 : 0);
}

function groupOf(tag: string): CurveGroup {
  if (tag.startsWith("accuracy")) return "Accuracy";
  if (tag.startsWith("loss/")) return "Loss";
  return tag === "learning_rate" || tag === "throughput" ? "Learning rate and speed" : "Norms and probes";
}

const TITLES: Readonly<Record<string, string>> = {
  accuracy: "Top-1, %",
  accuracy_top5: "Top-5, %",
  loss: "Loss",
  learning_rate: "Learning rate",
  throughput: "Training samples per second",
};

const PARTS: Readonly<Record<string, string>> = {
  train: "while training",
  train_evaluated: "training samples, evaluated",
  train_evaluated_average: "training samples, averaged weights",
  validation: "validation",
  validation_average: "validation, averaged weights",
  test: "test",
  test_average: "test, averaged weights",
};

function titleOf(tag: string): string {
  const slash = tag.indexOf("/");
  const [group, part] = slash < 0 ? [tag, ""] : [tag.slice(0, slash), tag.slice(slash + 1)];
  const title = TITLES[group] ?? inWords(group);
  return part === "" ? title : `${title} · ${PARTS[part] ?? inWords(part)}`;
}

/** `gradientNorm` as `Gradient norm`; names with spaces or dots, such as those of layers, as they are. */
function inWords(name: string): string {
  if (!/^[a-z]+([A-Z][a-z]+)+$/.test(name)) return name;
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words[0]!.toUpperCase() + words.slice(1);
}
