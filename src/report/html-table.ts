/** Tables for pages: accessible, sortable where scripts run, complete where they do not. */
import { type Column, cellText, columnAlignment } from "./column.ts";
import { type Html, type HtmlPart, html, trustedHtml } from "./html.ts";

/** What goes with a table. */
export interface HtmlTableOptions<Row> {
  /** What the table shows; read first by screen readers. */
  readonly caption: HtmlPart;
  /** Default true. */
  readonly sortable?: boolean;
  /** Most rows shown; what is left out is said below. Default 2000. */
  readonly maxRows?: number;
  /** Returns the identifier a row can be linked to by. */
  readonly rowId?: (row: Row, index: number) => string;
}

/** Returns a table with a header row; the first column names its rows. */
export function htmlTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  options: HtmlTableOptions<Row>,
): Html {
  const { caption, sortable = true, maxRows = 2000, rowId } = options;
  const shown = rows.slice(0, maxRows);
  const alignments = columns.map((column) => columnAlignment(column, shown));
  const header = columns.map(
    (column, c) =>
      html`<th scope="col"${classAttribute(headerClasses(column.header, alignments[c]!))}${column.help && html` title="${column.help}"`}>${column.header}</th>`,
  );
  const body = shown.map(
    (row, r) =>
      html`<tr${rowId && html` id="${rowId(row, r)}"`}>${columns.map((column, c) => cell(column, row, r, c === 0, alignments[c]!))}</tr>
`,
  );
  return html`<div class="table scroll" tabindex="0" role="group" aria-label="Table, scrolls sideways"><table${
    sortable && rows.length > 1 && trustedHtml(" data-sortable")
  }><caption><span>${caption}</span></caption>
<thead><tr>${header}</tr></thead>
<tbody>
${body}</tbody></table></div>
${
  rows.length > shown.length &&
  html`<p class="truncated">${shown.length} of ${rows.length} rows are shown; the others are in the JSON report.</p>`
}`;
}

function cell<Row>(column: Column<Row>, row: Row, index: number, isRowHeader: boolean, alignment: string): Html {
  const value = column.value(row, index);
  const text = cellText(column, value);
  const content = column.code && value !== null ? html`<code>${text}</code>` : text;
  const classes = classAttribute(alignment === "right" ? "right" : column.code ? "" : widthClass(text));
  const sortKey = value === null ? html` data-value=""` : typeof value === "number" && html` data-value="${value}"`;
  return isRowHeader
    ? html`<th scope="row"${classes}${sortKey}>${content}</th>`
    : html`<td${classes}${sortKey}>${content}</td>`;
}

function headerClasses(header: string, alignment: string): string {
  return [alignment === "right" && "right", header.length > 10 && "wraps"].filter(Boolean).join(" ");
}

/** Words stay on one line, sentences get room. */
function widthClass(text: string): string {
  return text.length > 24 ? "wide" : "short";
}

function classAttribute(name: string): Html | false {
  return name !== "" && html` class="${name}"`;
}
