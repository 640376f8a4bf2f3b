/** Columns of the ladder of a quantization: what each refinement brought. */
import type { Evaluation, RungReport } from "../quantize/index.ts";
import type { Column } from "./column.ts";
import { formatBytes, formatFixed, formatSeconds } from "./format.ts";

const fixed = (decimals: number) => (value: number) => formatFixed(value, decimals);

function measured(
  header: string,
  value: (evaluation: Evaluation) => number | null,
  format: (value: number) => string,
  help: string,
): Column<RungReport> {
  return { header, value: ({ evaluation }) => evaluation && value(evaluation), format, help };
}

const COLUMNS: readonly Column<RungReport>[] = [
  { header: "Rung", value: ({ name }) => name },
  {
    header: "SQNR dB",
    value: ({ outputSqnrDb }) => outputSqnrDb,
    format: fixed(1),
    help: "Signal to noise of the model's outputs on samples that nothing was fitted to.",
  },
  measured("Top-1 %", ({ top1 }) => top1, fixed(2), "On the labelled data."),
  measured("± error", ({ top1StandardError }) => top1StandardError, fixed(2), "Standard error of top-1, points."),
  measured("Agree %", ({ agreement }) => agreement, fixed(1), "Same decision as the float model."),
  measured("Size", ({ sizeBytes }) => sizeBytes, formatBytes, "Of the model file."),
  measured("Median ms", ({ latencyMs }) => latencyMs.median, fixed(2), "One sample at batch 1."),
  { header: "Time", value: ({ seconds }) => seconds, format: formatSeconds, help: "Spent on this rung." },
  { header: "Kept", value: ({ kept }) => (kept ? "yes" : "no") },
  { header: "Note", value: ({ notes }) => shortNotes(notes) },
];

/** Notes that a table shows; a page and the JSON report have all. */
export const NOTES_SHOWN = 2;

function shortNotes(notes: readonly string[]): string {
  const more = notes.length - NOTES_SHOWN;
  return [...notes.slice(0, NOTES_SHOWN), ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
}

/** Returns the columns that at least one rung fills. */
export function ladderColumns(ladder: readonly RungReport[]): readonly Column<RungReport>[] {
  const isFilled = ({ value }: Column<RungReport>) =>
    ladder.some((rung, i) => value(rung, i) !== null && value(rung, i) !== "");
  return COLUMNS.filter(isFilled);
}
