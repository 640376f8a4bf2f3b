/** What is told of a run: verdict, assertions, tables and plots, for every form of output. */
import { type Column, formatFixed, formatSeconds, formatSigned } from "../report/index.ts";
import { type ExperimentVerdict, type JudgedClaim, judge, reasonsOf, verdictOf } from "./claims.ts";
import { isEstimate } from "./estimate.ts";
import type { Experiment, Findings, ResultCell, ResultTable, Scale } from "./experiment.ts";
import { type ExperimentRun, resultsOf } from "./run-experiment.ts";

/** A run with what follows from it. */
export interface ExperimentReport extends Omit<Findings, "claims"> {
  readonly experiment: Experiment;
  readonly run: ExperimentRun;
  readonly verdict: ExperimentVerdict;
  readonly reasons: readonly string[];
  readonly claims: readonly JudgedClaim[];
  /** Day of the report, ISO 8601. */
  readonly date: string;
}

/** Judges a finished run. */
export function reportExperiment(experiment: Experiment, run: ExperimentRun, date: string): ExperimentReport {
  const findings = experiment.findings(resultsOf(run), run.design);
  const claims = findings.claims.map(judge);
  return { ...findings, experiment, run, claims, date, verdict: verdictOf(claims), reasons: reasonsOf(claims) };
}

/** Returns the report as JSON: everything but functions. */
export function reportJson({
  experiment,
  run,
  verdict,
  reasons,
  claims,
  tables,
  notes,
  date,
}: ExperimentReport): Readonly<Record<string, unknown>> {
  const { id, title, claim, source, published } = experiment;
  const { scale, seeds, design, hash, seconds, environment } = run;
  const { description, minutes } = experiment.scales[scale];
  return {
    experiment: { id, title, claim, source, published },
    scale,
    verdict,
    reasons,
    claims,
    tables,
    notes,
    design: { description, seeds, hash, settings: design },
    seconds,
    minutesAllowed: minutes,
    environment,
    date,
    units: run.units,
  };
}

/** One line on what a scale is good for, where that must be said. */
export function caution(scale: Scale): string | undefined {
  return scale === "smoke"
    ? "This was a smoke run: it shows that the experiment works, and says nothing about the claim."
    : undefined;
}

/** Returns sentences on how the run was made. */
export function runFacts({
  experiment,
  run,
  date,
}: ExperimentReport): { readonly name: string; readonly value: string }[] {
  const { minutes } = experiment.scales[run.scale];
  const late = run.seconds > 60 * minutes ? ", longer than that" : "";
  return [
    { name: "scale", value: run.scale },
    { name: "seeds", value: run.seeds.join(", ") },
    {
      name: "time",
      value: `${formatSeconds(run.seconds)} (made for ${minutes < 1 ? `${60 * minutes} s` : `${minutes} min`} on two cores${late})`,
    },
    { name: "modicum", value: run.environment.modicum },
    { name: "runtime", value: run.environment.runtime },
    { name: "Node", value: run.environment.node },
    ...Object.entries(run.environment.data).map(([name, fingerprint]) => ({
      name,
      value: `SHA-256 ${fingerprint.slice(0, 12)}`,
    })),
    { name: "design", value: run.hash },
    { name: "date", value: date },
  ];
}

/** Returns the columns of a table of results. */
export function resultColumns({ columns }: ResultTable): Column<Readonly<Record<string, ResultCell>>>[] {
  return columns.map(({ key, header, digits = 2 }) => ({
    header,
    align: "left",
    value: (row) => cellText(row[key] ?? null, digits),
  }));
}

/** Columns of the assertions. */
export const CLAIM_COLUMNS: readonly Column<JudgedClaim>[] = [
  { header: "", value: ({ outcome }) => ({ holds: "✓", undecided: "?", fails: "✗" })[outcome] },
  { header: "assertion", value: ({ statement, decisive }) => (decisive ? statement : `(${statement})`) },
  {
    header: "measured",
    value: ({ measured, unit = "" }) => `${cellText(measured, 2)}${unit && ` ${unit}`}`,
  },
  { header: "must be", value: describeBounds },
  {
    header: "margin / standard error",
    align: "right",
    value: ({ standardErrors }) => (standardErrors === null ? null : formatSigned(standardErrors, 1)),
  },
];

/** How to read the assertions. */
export const CLAIM_LEGEND =
  "✓ holds, ? neither shown nor contradicted beyond two standard errors, ✗ does not hold; the verdict does not depend on those in brackets.";

function describeBounds({ above, below, evidence }: JudgedClaim): string {
  const bounds = [
    ...(above === undefined ? [] : [`above ${formatFixed(above, digitsOf(above))}`]),
    ...(below === undefined ? [] : [`below ${formatFixed(below, digitsOf(below))}`]),
  ].join(" and ");
  return evidence === "clear" ? `clearly ${bounds}` : `not contradicted: ${bounds}`;
}

function digitsOf(value: number): number {
  return String(value).split(".")[1]?.length ?? 0;
}

function cellText(cell: ResultCell, digits: number): string | null {
  if (cell === null || typeof cell === "string") return cell;
  if (!isEstimate(cell)) return formatFixed(cell, digits);
  const { mean, standardError } = cell;
  return `${formatFixed(mean, digits)}${standardError === null ? "" : ` ± ${formatFixed(standardError, digits)}`}`;
}
