/** Tables as data: one list of columns serves the terminal, Markdown and HTML. */
import { formatFixed, UNKNOWN } from "./format.ts";

/** What a cell holds before it is formatted; null when not known. */
export type CellValue = string | number | null;

/** One column of a table over rows of any type. */
export interface Column<Row> {
  readonly header: string;
  /** What the cell holds; HTML tables sort by it. */
  readonly value: (row: Row, index: number) => CellValue;
  /** How it is written. Default: text as it is, numbers as JavaScript writes them, `–` for null. */
  readonly format?: (value: number) => string;
  /** Default: "right" when every known cell is a number, else "left". An unknown column with a `format` is one of numbers. */
  readonly align?: "left" | "right";
  /** One sentence on what the column means: a tooltip in HTML, left out elsewhere. */
  readonly help?: string;
  /** Names of things (layers, files): set in a monospaced face in HTML, never broken in Markdown. */
  readonly code?: boolean;
}

/** Returns the text of one cell. */
export function cellText<Row>(column: Column<Row>, value: CellValue): string {
  if (value === null) return UNKNOWN;
  if (typeof value === "string") return value;
  if (Number.isNaN(value)) return formatFixed(value, 0);
  return column.format ? column.format(value) : String(value);
}

/** Returns where the cells of a column stand. */
export function columnAlignment<Row>(column: Column<Row>, rows: readonly Row[]): "left" | "right" {
  if (column.align) return column.align;
  let numbers = 0;
  for (const [index, row] of rows.entries()) {
    const value = column.value(row, index);
    if (typeof value === "string") return "left";
    if (value !== null) numbers++;
  }
  return numbers > 0 || column.format ? "right" : "left";
}
