/** Evaluations as a table for the terminal. */
import type { Evaluation } from "../quantize/index.ts";
import { formatBytes, formatFixed, textTable } from "../report/index.ts";

/** Returns one row a model; columns that no model fills are left out. */
export function evaluationTable(evaluations: readonly Evaluation[]): string {
  const fixed = (decimals: number) => (value: number) => formatFixed(value, decimals);
  const columns = [
    { header: "model", value: (row: Evaluation) => row.path },
    { header: "size", value: (row: Evaluation) => row.sizeBytes, format: formatBytes },
    { header: "samples", value: (row: Evaluation) => row.count },
    { header: "top-1 %", value: (row: Evaluation) => row.top1, format: fixed(2) },
    { header: "±", value: (row: Evaluation) => row.top1StandardError, format: fixed(2) },
    { header: "top-5 %", value: (row: Evaluation) => row.top5, format: fixed(2) },
    { header: "agree %", value: (row: Evaluation) => row.agreement, format: fixed(2) },
    { header: "SQNR dB", value: (row: Evaluation) => row.outputSqnrDb, format: fixed(1) },
    { header: "median ms", value: (row: Evaluation) => row.latencyMs.median, format: fixed(2) },
    { header: "p95 ms", value: (row: Evaluation) => row.latencyMs.p95, format: fixed(2) },
    { header: "samples/s", value: (row: Evaluation) => row.throughput, format: fixed(0) },
  ];
  return textTable(
    columns.filter(({ value }) => evaluations.some((row) => value(row) !== null)),
    evaluations,
  );
}
