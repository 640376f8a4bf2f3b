import fc from "fast-check";
import { expect, test } from "vitest";
import type { Column } from "./column.ts";
import { formatFixed } from "./format.ts";
import { escapeMarkdown, markdownCode, markdownTable, textTable } from "./text-table.ts";

interface Row {
  readonly name: string;
  readonly bits: number | null;
}

const COLUMNS: readonly Column<Row>[] = [
  { header: "layer", value: ({ name }) => name, code: true },
  { header: "bits", value: ({ bits }) => bits, format: (bits) => formatFixed(bits, 1) },
];
const ROWS: readonly Row[] = [
  { name: "Conv_0", bits: 8 },
  { name: "a|b", bits: null },
];

test("a terminal table aligns numbers to the right and has no trailing spaces", () => {
  expect(textTable(COLUMNS, ROWS)).toBe(["layer   bits", "──────  ────", "Conv_0   8.0", "a|b        –"].join("\n"));
});

test("a Markdown table escapes pipes and says which columns are numbers", () => {
  expect(markdownTable(COLUMNS, ROWS)).toBe(
    ["| layer    | bits |", "| -------- | ---: |", "| `Conv_0` |  8.0 |", "| `a\\|b`   |    – |"].join("\n"),
  );
});

test("wide characters take two columns, combining marks none", () => {
  const lines = textTable(COLUMNS, [
    { name: "層", bits: 1 },
    { name: "e\u0301", bits: 1 },
  ]).split("\n");
  expect(lines.slice(2)).toEqual(["層      1.0", "e\u0301       1.0"]);
});

test("long cells lose their middle, line breaks and escape sequences their effect", () => {
  const lines = textTable(COLUMNS, [{ name: `\u001b[31m${"x".repeat(40)}\nend`, bits: 4 }], { maxCellWidth: 11 }).split(
    "\n",
  );
  expect(lines).toHaveLength(3);
  expect(lines[2]).toBe(" [31m…x end   4.0");
});

test("a table without rows is its header", () => {
  expect(textTable(COLUMNS, [])).toBe("layer  bits\n─────  ────");
});

test("code spans hold any backticks", () => {
  expect([markdownCode("a"), markdownCode("`a``b")]).toEqual(["`a`", "``` `a``b ```"]);
});

test("no text breaks out of its cell", () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      const lines = markdownTable(COLUMNS, [{ name, bits: 1 }]).split(/\r\n|[\n\r\u2028\u2029]/);
      expect(lines).toHaveLength(3);
      // Pipes that are not escaped: the borders of two cells.
      expect(lines[2]!.replace(/\\\|/g, "").split("|")).toHaveLength(4);
    }),
  );
});

test("Markdown markup in text is shown, not obeyed", () => {
  expect(escapeMarkdown("a *b* <img> [c](d)\n# e")).toBe("a \\*b\\* \\<img\\> \\[c\\](d) \\# e");
});
