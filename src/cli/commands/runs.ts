/** `modicum runs`: training runs in a table, as JSON, or side by side on a page. */
import { existsSync } from "node:fs";
import type { Command } from "commander";
import { DataError, ModicumError } from "../../errors.ts";
import type { ReportedRun } from "../../report/index.ts";
import { addCommonOptions, type CommandContext, type CommonOptions, printResult } from "../command.ts";

interface RunsOptions extends CommonOptions {
  readonly report?: string;
  readonly force?: boolean;
}

/** A run that could not be read. */
interface UnreadableRun {
  readonly path: string;
  readonly message: string;
}

/** Where `modicum train` puts runs unless told otherwise. */
const DEFAULT_FOLDER = "runs";

/** Adds the command's arguments, options and action. */
export function define(command: Command, context: CommandContext): void {
  command
    .argument("[folders...]", `runs, or folders with runs in them (default: ${DEFAULT_FOLDER})`)
    .option("--report <file>", "an HTML page that compares the runs: curves, recipes, confusion matrices")
    .option("--force", "replace the page when it exists");
  addCommonOptions(command.optionsGroup("Output:"))
    .addHelpText("after", EXAMPLES)
    .action((folders: string[], options: RunsOptions) => listRuns(folders, options, context));
}

const EXAMPLES = `
Examples:
  $ modicum runs
  $ modicum runs runs/first runs/second --report comparison.html
  $ modicum runs experiments/ --json`;

async function listRuns(folders: readonly string[], options: RunsOptions, context: CommandContext): Promise<void> {
  const { RUN_COLUMNS, summarizeRun, textTable } = await import("../../report/index.ts");
  const { report, force = false } = options;
  if (report !== undefined) {
    const { assertWritable } = await import("../output-path.ts");
    await assertWritable(report, { option: "--report", inputs: [], force });
  }
  const { runs, unreadable } = await readRuns(folders);
  for (const { message } of unreadable) context.stderr.write(`left out: ${message}\n`);
  if (report !== undefined) {
    if (runs.length === 0) throw new DataError("--report: there must be a run to show, got none.");
    await writePage(report, runs);
  }
  printResult(context, options, {
    json: () => ({ runs: runs.map(summarizeRun), unreadable }),
    text: () => {
      if (runs.length > 0) return textTable(RUN_COLUMNS, runs.map(summarizeRun));
      return `No runs in ${(folders.length > 0 ? folders : [DEFAULT_FOLDER]).join(", ")}.`;
    },
  });
}

/** Reads every run, those that began first at the top. One that is damaged does not keep the others from being shown. */
async function readRuns(
  folders: readonly string[],
): Promise<{ readonly runs: readonly ReportedRun[]; readonly unreadable: readonly UnreadableRun[] }> {
  const { readRun } = await import("../../files/index.ts");
  const runs: ReportedRun[] = [];
  const unreadable: UnreadableRun[] = [];
  for (const path of await pathsOf(folders)) {
    try {
      const run = await readRun(path);
      const { description, holder } = run;
      runs.push({ name: path, description, events: await run.events(), isRunning: holder !== undefined });
    } catch (error) {
      if (!(error instanceof ModicumError)) throw error;
      unreadable.push({ path, message: error.message });
    }
  }
  const began = ({ description }: ReportedRun): string => description.created;
  return { runs: runs.toSorted((a, b) => (began(a) < began(b) ? -1 : began(a) > began(b) ? 1 : 0)), unreadable };
}

/** A folder that is named must be there; the default one is made by the first run. */
async function pathsOf(folders: readonly string[]): Promise<Set<string>> {
  const { findRuns } = await import("../../files/index.ts");
  if (folders.length === 0 && !existsSync(DEFAULT_FOLDER)) return new Set();
  const paths = new Set<string>();
  for (const folder of folders.length === 0 ? [DEFAULT_FOLDER] : folders) {
    for (const path of await findRuns(folder)) paths.add(path);
  }
  return paths;
}

async function writePage(path: string, runs: readonly ReportedRun[]): Promise<void> {
  const { runsPageHtml } = await import("../../report/index.ts");
  const { writeFileAtomically } = await import("../../files/index.ts");
  const { MODICUM_VERSION } = await import("../../quantize/index.ts");
  const details = { modicumVersion: MODICUM_VERSION, date: new Date().toISOString() };
  await writeFileAtomically(path, await runsPageHtml(runs, details));
}
