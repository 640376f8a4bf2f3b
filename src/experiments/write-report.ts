/** Files of a report: ID.md, ID.json, ID.html and a picture for each plot. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FileError } from "../errors.ts";
import { makeFolder, type NewFile, writeFilesAtomically } from "../files/index.ts";
import { standaloneSvg } from "../report/index.ts";
import { SCALES, type Scale } from "./experiment.ts";
import { type ExperimentReport, reportJson } from "./experiment-report.ts";
import { drawResultPlot } from "./line-plot.ts";
import { reportPage } from "./report-page.ts";
import { reportMarkdown } from "./report-text.ts";

/**
 * Writes a report into a folder, all files or none, and returns their paths.
 *
 * @throws FileError if a file cannot be written.
 */
export async function writeReport(folder: string, report: ExperimentReport): Promise<string[]> {
  const { id } = report.experiment;
  await makeFolder(folder);
  const drawings = await Promise.all(report.plots.map(drawResultPlot));
  const plotFile = (plot: string): string => `${id}-${plot}.svg`;
  const contents: [string, string][] = [
    ...report.plots.map((plot, i): [string, string] => [plotFile(plot.id), standaloneSvg(drawings[i]!)]),
    [`${id}.html`, reportPage(report, drawings)],
    [`${id}.md`, reportMarkdown(report, plotFile)],
    [`${id}.json`, `${JSON.stringify(reportJson(report), null, 1)}\n`],
  ];
  const files = contents.map(
    ([name, text]): NewFile => ({
      path: join(folder, name),
      chunks: () => [new TextEncoder().encode(text)],
    }),
  );
  await writeFilesAtomically(files);
  return files.map(({ path }) => path);
}

/**
 * Checks, before the long work begins, that a report may be written: results of a larger scale are not to be replaced.
 *
 * @throws FileError if the folder holds them.
 */
export async function assertReplaceable(folder: string, id: string, scale: Scale): Promise<void> {
  const path = join(folder, `${id}.json`);
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return;
  let found: unknown;
  try {
    found = (JSON.parse(text) as { scale?: unknown }).scale;
  } catch {
    throw new FileError(`${path}: must be a report of this experiment, got something else. Use --force to replace it.`);
  }
  if (SCALES.indexOf(found as Scale) > SCALES.indexOf(scale)) {
    throw new FileError(
      `${path}: results of scale "${found}" are not replaced by those of "${scale}". Use another --output, or --force.`,
    );
  }
}
