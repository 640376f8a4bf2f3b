/** `modicum data`: what can be trained on, and whether a copy of it is whole. */
import type { Command } from "commander";
import type { DataFile, DataSource, ReadDataSource } from "../../files/index.ts";
import { addCommonOptions, type CommandContext, type CommonOptions, printResult } from "../command.ts";
import { wholeNumber } from "../option-values.ts";

interface DataCommandOptions extends CommonOptions {
  readonly size?: number;
  readonly length?: number;
  readonly skipUnreadable?: boolean;
}

/** Adds the command's argument, options and action. */
export function define(command: Command, context: CommandContext): void {
  command
    .argument("[data]", "kind and path, such as cifar10:path/to/folder; none: list the kinds")
    .option("--size <pixels>", "side that pictures are resized to", wholeNumber(1))
    .option("--length <tokens>", "tokens of a sample of text (default: 128)", wholeNumber(1))
    .option("--skip-unreadable", "leave out pictures that cannot be read or have another size");
  addCommonOptions(command)
    .addHelpText("after", EXAMPLES)
    .action((data: string | undefined, options: DataCommandOptions) =>
      data === undefined ? list(options, context) : inspect(data, options, context),
    );
}

const EXAMPLES = `
Examples:
  $ modicum data
  $ modicum data cifar10:path/to/folder
  $ modicum data folder:path/to/pictures --size 64 --json`;

async function list(options: DataCommandOptions, context: CommandContext): Promise<void> {
  const { dataSources } = await import("../../files/index.ts");
  const { formatBytes, textTable } = await import("../../report/index.ts");
  const known = dataSources.map((source) => ({
    name: source.name,
    title: source.title,
    kind: source.kind,
    path: source.path ?? null,
    url: source.url ?? null,
    sizeBytes: source.sizeBytes ?? null,
    licence: source.licence ?? null,
    obtain: source.obtain,
  }));
  const table = (): string =>
    textTable(
      [
        { header: "data", value: ({ name, path }: (typeof known)[number]) => (path === null ? name : `${name}:PATH`) },
        { header: "what", value: ({ title }) => title },
        { header: "samples", value: ({ kind }) => kind },
        { header: "size", value: ({ sizeBytes }) => (sizeBytes === null ? "" : formatBytes(sizeBytes)) },
        { header: "licence", value: ({ licence }) => licence ?? "" },
      ],
      known,
      { maxCellWidth: 300 },
    );
  const places = known.map(({ name, obtain }) => `${name}: ${obtain}`).join("\n");
  const text = (): string => `${table()}\n\nHow to get them, or what they must be:\n${places}`;
  printResult(context, options, { json: () => ({ data: known }), text });
}

async function inspect(data: string, options: DataCommandOptions, context: CommandContext): Promise<void> {
  const { readDataSource } = await import("../../files/index.ts");
  const { size, length, skipUnreadable } = options;
  const opened = await readDataSource(data, { size, length, skipUnreadable, check: true });
  const summary = summarize(opened);
  const text = options.json ? "" : await describe(summary, opened.source);
  printResult(context, options, { json: () => summary, text: () => text });
}

interface PartSummary {
  readonly part: "train" | "validation" | "test";
  readonly samples: number;
  /** Fewest and most samples that a class has; null for data without classes. */
  readonly perClass: { readonly least: number; readonly most: number } | null;
}

interface DataSummary {
  readonly name: string;
  readonly title: string;
  readonly path: string | null;
  readonly kind: string;
  readonly sampleShape: readonly number[];
  readonly dtype: string;
  readonly classes: number;
  readonly classNames: readonly string[] | null;
  readonly parts: readonly PartSummary[];
  readonly files: readonly DataFile[];
  readonly skipped: readonly string[];
  readonly fingerprint: string;
}

function summarize({ source, path, parts }: ReadDataSource): DataSummary {
  const { kind, sampleShape, dtype, classes, classNames, files, skipped = [], fingerprint } = parts;
  const summaries = (["train", "validation", "test"] as const).flatMap((part): PartSummary[] => {
    const dataset = parts[part];
    if (dataset === undefined) return [];
    return [{ part, samples: dataset.count, perClass: dataset.labels ? countClasses(dataset.labels, classes) : null }];
  });
  return {
    name: source.name,
    title: source.title,
    path: path === "" ? null : path,
    kind,
    sampleShape,
    dtype,
    classes,
    classNames: classNames ?? null,
    parts: summaries,
    files,
    skipped,
    fingerprint,
  };
}

function countClasses(labels: Int32Array, classes: number): { readonly least: number; readonly most: number } {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label]! += 1;
  return { least: Math.min(...counts), most: Math.max(...counts) };
}

const CHECKSUM_TEXT = {
  match: "the official file",
  differ: "NOT the official file",
  unknown: "none published",
} as const;

async function describe(summary: DataSummary, source: DataSource): Promise<string> {
  const { formatBytes, formatCount, textTable } = await import("../../report/index.ts");
  const { kind, sampleShape, dtype, classes, parts, files, skipped, fingerprint } = summary;
  const facts: [string, string][] = [
    ["samples", `${kind}, ${dtype} [${sampleShape.join(", ")}]`],
    [kind === "tokens" ? "vocabulary" : "classes", formatCount(classes)],
    ["fingerprint", fingerprint],
  ];
  const partTable = textTable(
    [
      { header: "part", value: ({ part }: PartSummary) => part },
      { header: "samples", value: ({ samples }) => samples, format: formatCount },
      {
        header: "per class",
        value: ({ perClass }) => {
          if (perClass === null) return "";
          const { least, most } = perClass;
          return least === most ? formatCount(least) : `${formatCount(least)} to ${formatCount(most)}`;
        },
        align: "right",
      },
    ],
    parts,
  );
  const fileTable = textTable(
    [
      { header: "file", value: ({ path }: DataFile) => path },
      { header: "size", value: ({ sizeBytes }) => sizeBytes, format: formatBytes },
      { header: "checksum", value: ({ checksum }) => CHECKSUM_TEXT[checksum] },
    ],
    files,
    { maxCellWidth: 100 },
  );
  return [
    `${summary.title}${summary.path === null ? "" : `: ${summary.path}`}`,
    ...facts.map(([name, value]) => `  ${name.padEnd(14)}${value}`),
    "",
    partTable,
    ...(files.length > 0 ? ["", fileTable] : []),
    ...(skipped.length > 0 ? ["", `Left out (${skipped.length}): ${skipped.join(", ")}.`] : []),
    ...(files.some(({ checksum }) => checksum === "differ") ? ["", source.obtain] : []),
  ].join("\n");
}
