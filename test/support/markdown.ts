/** Reading the project's own Markdown, as far as tests about it need. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "./source-files.ts";

/** A document: its path from the repository's root, with forward slashes, and its text. */
export interface Document {
  readonly path: string;
  readonly text: string;
}

/** A fenced block of code. */
export interface CodeBlock {
  /** First word after the fence. */
  readonly language: string;
  /** The word after that, such as `run`; empty when there is none. */
  readonly mark: string;
  readonly code: string;
  /** Line of the fence, from 1. */
  readonly line: number;
}

const FOLDERS = ["docs", "examples", "experiments", "bench"];

/** Returns every Markdown file of the repository that people read. */
export function documents(): Document[] {
  const atRoot = readdirSync(REPOSITORY);
  const inFolders = FOLDERS.filter((folder) => existsSync(join(REPOSITORY, folder))).flatMap((folder) =>
    readdirSync(join(REPOSITORY, folder), { recursive: true, encoding: "utf8" }).map(
      (path) => `${folder}/${path.replaceAll("\\", "/")}`,
    ),
  );
  return [...atRoot, ...inFolders]
    .filter((path) => path.endsWith(".md") && !path.includes("node_modules/"))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(REPOSITORY, path), "utf8") }));
}

/** Returns the fenced blocks of a text, in order. */
export function codeBlocks(text: string): CodeBlock[] {
  return [...text.matchAll(/^```(\S+)(?: (\S+))?\n([\s\S]*?)^```$/gm)].map((match) => ({
    language: match[1]!,
    mark: match[2] ?? "",
    code: match[3]!,
    line: text.slice(0, match.index).split("\n").length,
  }));
}

/** Returns a text without its fenced blocks. */
export function prose(text: string): string {
  return text.replace(/^```[\s\S]*?^```$/gm, "");
}

/** Returns the code between single backticks outside of fenced blocks. */
export function inlineCode(text: string): string[] {
  return [...prose(text).matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!);
}

/** Returns the targets of links and pictures outside of code. */
export function linkTargets(text: string): string[] {
  const plain = prose(text).replace(/`[^`\n]+`/g, "");
  return [...plain.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!);
}

/** Returns the anchors of a text's headings, as GitHub makes them. */
export function anchors(text: string): Set<string> {
  const headings = [...prose(text).matchAll(/^#{1,6} +(.+)$/gm)].map((match) => match[1]!);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .replace(/\s/g, "-"),
    ),
  );
}

/** Returns the part of a text below a heading, up to the next heading of its level or above. */
export function sectionOf({ path, text }: Document, heading: string): string {
  const lines = text.split("\n");
  const start = lines.indexOf(heading);
  if (start < 0) throw new Error(`${path}: there must be a heading "${heading}", got none.`);
  const level = /^#+/.exec(heading)![0].length;
  const length = lines.slice(start + 1).findIndex((line) => (/^(#+) /.exec(line)?.[1]?.length ?? 9) <= level);
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join("\n");
}

/** Returns the rows of the first table of a text that has the header cell, header first, cells trimmed. */
export function tableWith(text: string, header: string): string[][] {
  const tables = prose(text).match(/(^\|.*\n?)+/gm) ?? [];
  const rows = tables.map((table) => table.trim().split("\n").map(cellsOf)).find(([head]) => head?.includes(header));
  if (rows === undefined) throw new Error(`there must be a table with a column "${header}", got none.`);
  return rows.filter((_, i) => i !== 1);
}

function cellsOf(line: string): string[] {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim());
}

/** Returns the commands of a shell block, one array of words each: lines joined, comments and `&&` taken apart. */
export function shellCommands(code: string): string[][] {
  return code
    .replace(/\\\n/g, " ")
    .split(/\n|&&/)
    .map((line) => (line.replace(/(^|\s)#.*$/, "").match(/"[^"]*"|'[^']*'|\S+/g) ?? []).map(unquoted))
    .filter((words) => words.length > 0);
}

function unquoted(word: string): string {
  return word.replace(/^(["'])(.*)\1$/, "$2");
}
