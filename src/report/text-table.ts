/** Tables as plain text for the terminal, and as Markdown for documents. */
import { type Column, cellText, columnAlignment } from "./column.ts";

/** How a plain text table is drawn. */
export interface TextTableOptions {
  /** Written before each line. Default "". */
  readonly indent?: string;
  /** Longest cell in characters; longer text loses its middle. Default 60. */
  readonly maxCellWidth?: number;
}

/**
 * Returns a table for a monospaced terminal: a header, a line, one line per row; numbers right-aligned, two spaces between
 * columns, no trailing spaces and no newline at the end.
 *
 * @example
 * textTable([{ header: "layer", value: (row) => row.name }, { header: "bits", value: (row) => row.bits }], rows)
 */
export function textTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  options: TextTableOptions = {},
): string {
  const { indent = "", maxCellWidth = 60 } = options;
  const clean = (text: string): string => shorten(text.replace(/[\p{Cc}\p{Cf}]+/gu, " "), maxCellWidth);
  const { alignments, cells } = layOut(columns, rows, clean);
  const widths = columns.map((_, c) => Math.max(...cells.map((line) => displayWidth(line[c]!))));
  const draw = (line: readonly string[]): string =>
    (indent + line.map((text, c) => pad(text, widths[c]!, alignments[c]!)).join("  ")).trimEnd();
  const rule = indent + widths.map((width) => "─".repeat(width)).join("  ");
  return [draw(cells[0]!), rule, ...cells.slice(1).map(draw)].join("\n");
}

/** Returns a GitHub-flavoured Markdown table, its source aligned too; pipes and markup in cells are escaped. */
export function markdownTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const { alignments, cells } = layOut(columns, rows, escapeMarkdown, (column, text) =>
    column.code ? markdownCode(text, { inTable: true }) : escapeMarkdown(text),
  );
  const widths = columns.map((_, c) => Math.max(3, ...cells.map((line) => displayWidth(line[c]!))));
  const draw = (line: readonly string[]): string =>
    `| ${line.map((text, c) => pad(text, widths[c]!, alignments[c]!)).join(" | ")} |`;
  const rule = widths.map((width, c) => (alignments[c] === "right" ? `${"-".repeat(width - 1)}:` : "-".repeat(width)));
  return [draw(cells[0]!), draw(rule), ...cells.slice(1).map(draw)].join("\n");
}

/** Returns text that Markdown shows as it stands, on one line. */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .replace(/[\\`*_[\]<>|#~]/g, "\\$&")
    .replace(/&/g, "&amp;");
}

/** Returns text as a Markdown code span, whatever backticks it holds. Inside a table, pipes are escaped as GitHub wants. */
export function markdownCode(text: string, options: { inTable?: boolean } = {}): string {
  const oneLine = text.replace(/\s+/g, " ");
  const longest = Math.max(0, ...[...oneLine.matchAll(/`+/g)].map((run) => run[0].length));
  const fence = "`".repeat(longest + 1);
  const body = options.inTable ? oneLine.replace(/\|/g, "\\|") : oneLine;
  return longest > 0 ? `${fence} ${body} ${fence}` : fence + body + fence;
}

function layOut<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  header: (text: string) => string,
  cell: (column: Column<Row>, text: string) => string = (_, text) => header(text),
): { alignments: ("left" | "right")[]; cells: string[][] } {
  return {
    alignments: columns.map((column) => columnAlignment(column, rows)),
    cells: [
      columns.map((column) => header(column.header)),
      ...rows.map((row, r) => columns.map((column) => cell(column, cellText(column, column.value(row, r))))),
    ],
  };
}

/** Columns a terminal gives to a text: combining marks none, East Asian wide characters and emoji two. */
function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/\p{Mark}/u.test(character)) continue;
    width +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return width;
}

function pad(text: string, width: number, alignment: "left" | "right"): string {
  const space = " ".repeat(Math.max(0, width - displayWidth(text)));
  return alignment === "right" ? space + text : text + space;
}

function shorten(text: string, maxWidth: number): string {
  const characters = [...text];
  if (characters.length <= maxWidth) return text;
  const head = Math.ceil((maxWidth - 1) / 2);
  return `${characters.slice(0, head).join("")}…${characters.slice(characters.length - (maxWidth - 1 - head)).join("")}`;
}
