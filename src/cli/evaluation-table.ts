/** Evaluations as a table, for the terminal and for pages. */
import type { Evaluation } from "../quantize/index.ts";
import { type Column, formatBytes, formatFixed, textTable } from "../report/index.ts";

const fixed = (decimals: number) => (value: number) => formatFixed(value, decimals);

const COLUMNS: readonly Column<Evaluation>[] = [
  { header: "model", value: ({ path }) => path, code: true },
  { header: "size", value: ({ sizeBytes }) => sizeBytes, format: formatBytes },
  { header: "samples", value: ({ count }) => count },
  { header: "top-1 %", value: ({ top1 }) => top1, format: fixed(2) },
  {
    header: "± error",
    value: (row) => row.top1StandardError,
    format: fixed(2),
    help: "Standard error of top-1, points.",
  },
  { header: "top-5 %", value: ({ top5 }) => top5, format: fixed(2) },
  {
    header: "agree %",
    value: ({ agreement }) => agreement,
    format: fixed(2),
    help: "Same decision as the first model.",
  },
  {
    header: "SQNR dB",
    value: (row) => row.outputSqnrDb,
    format: fixed(1),
    help: "Of the outputs, against the first model's.",
  },
  {
    header: "KL nats",
    value: (row) => row.outputDivergence,
    format: fixed(3),
    help: "Divergence of the class probabilities from the first model's.",
  },
  { header: "median ms", value: ({ latencyMs }) => latencyMs.median, format: fixed(2), help: "One sample at batch 1." },
  { header: "p95 ms", value: ({ latencyMs }) => latencyMs.p95, format: fixed(2) },
  {
    header: "samples/s",
    value: ({ throughput }) => throughput,
    format: fixed(0),
    help: "At the batch of the evaluation.",
  },
];

/** Returns the columns that at least one of the models fills. */
export function evaluationColumns(evaluations: readonly Evaluation[]): readonly Column<Evaluation>[] {
  return COLUMNS.filter(({ value }) => evaluations.some((row, i) => value(row, i) !== null));
}

/** Returns one row a model. */
export function evaluationTable(evaluations: readonly Evaluation[]): string {
  return textTable(evaluationColumns(evaluations), evaluations);
}
