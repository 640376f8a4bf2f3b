/** `modicum reproduce`: runs a published experiment at a scale that this machine can do, and puts ours beside the published. */
import { type Command, Option } from "commander";
import type { Experiment, LocalData, Scale } from "../../experiments/index.ts";
import { addCommonOptions, type CommandContext, type CommonOptions, printResult } from "../command.ts";
import { addRuntimeOptions } from "../data-options.ts";
import { wholeNumber } from "../option-values.ts";
import type { RuntimeChoice } from "../runtime-choice.ts";

interface ReproduceOptions extends CommonOptions, RuntimeChoice {
  readonly scale: Scale;
  readonly data?: readonly string[];
  readonly seeds?: number;
  readonly work: string;
  readonly output?: string;
  readonly force?: boolean;
}

/** Longest time that a checkpoint of the network being trained may take to be saved after Ctrl-C. */
const GRACE_MS = 60_000;

/** Adds the command's argument, options and action. */
export function define(command: Command, context: CommandContext): void {
  command
    .argument("[experiment]", "its name; none: list the experiments")
    .addOption(
      new Option("--scale <scale>", "smoke: under 30 s, says nothing; small: about 20 minutes; full: as published")
        .choices(["smoke", "small", "full"])
        .default("small"),
    )
    .option(
      "--data <name:path>",
      "a data set the experiment needs; give it once for each (default: data/NAME)",
      (value: string, values: readonly string[] = []) => [...values, value],
    )
    .option("--seeds <count>", "seeds 1 to this number instead of the scale's", wholeNumber(1, 1000))
    .option("--work <folder>", "where trained networks and finished results are kept", "runs/reproduce");
  addRuntimeOptions(command);
  command
    .optionsGroup("Output:")
    .option("-o, --output <folder>", "for ID.md, ID.json, ID.html and plots (default: docs/results; none for smoke)")
    .option("--force", "replace results of a larger scale");
  addCommonOptions(command)
    .addHelpText("after", EXAMPLES)
    .action((id: string | undefined, options: ReproduceOptions) =>
      id === undefined ? list(options, context) : reproduce(id, options, context),
    );
}

const EXAMPLES = `
Examples:
  $ modicum reproduce
  $ modicum reproduce aciq --scale smoke
  $ modicum reproduce aciq --data cifar10:path/to/folder
A run that was stopped goes on when the same command is given again.`;

async function list(options: CommonOptions, context: CommandContext): Promise<void> {
  const { experiments, SCALES } = await import("../../experiments/index.ts");
  const { textTable } = await import("../../report/index.ts");
  const known = Object.values(experiments).map(({ id, title, claim, source, scales }) => ({
    id,
    title,
    claim,
    source,
    scales: Object.fromEntries(
      SCALES.map((scale) => {
        const { description, minutes, seeds, data } = scales[scale];
        return [scale, { description, minutes, seeds, data }];
      }),
    ),
  }));
  const table = (): string =>
    textTable(
      [
        { header: "experiment", value: ({ id }: (typeof known)[number]) => id },
        { header: "what", value: ({ title }) => title },
        ...SCALES.map((scale) => ({
          header: `${scale}, min`,
          value: ({ scales }: (typeof known)[number]) => scales[scale]!.minutes,
        })),
        { header: "data", value: ({ scales }) => scales.small!.data.join(", ") },
      ],
      known,
    );
  printResult(context, options, { json: () => ({ experiments: known }), text: table });
}

async function reproduce(id: string, options: ReproduceOptions, context: CommandContext): Promise<void> {
  const { assertReplaceable, reportExperiment, reportJson, reportText, runExperiment, writeReport } = await import(
    "../../experiments/index.ts"
  );
  const { chooseRuntime } = await import("../runtime-choice.ts");
  const { showExperiment } = await import("../experiment-progress.ts");
  const experiment = await findExperiment(id);
  const { scale, seeds, work, force = false, quiet = false } = options;
  const output = options.output ?? (scale === "smoke" ? undefined : "docs/results");
  if (output !== undefined && !force) await assertReplaceable(output, id, scale);
  const data = await openData(experiment, options);
  const runtime = await chooseRuntime(options);
  const display = showExperiment(context.stderr, { quiet });
  context.allowGrace(GRACE_MS);
  let done = "";
  try {
    const run = await runExperiment(experiment, {
      scale,
      seeds,
      data,
      work,
      runtime,
      signal: context.signal,
      onProgress: (progress) => {
        done = `${progress.number - 1} of ${progress.count} parts are finished and kept in ${work}; the same command goes on from there.`;
        display.update(progress);
      },
    });
    display.stop();
    const report = reportExperiment(experiment, run, new Date().toISOString().slice(0, 10));
    const files = output === undefined ? [] : await writeReport(output, report);
    printResult(context, options, {
      json: () => ({ ...reportJson(report), files }),
      text: () => [reportText(report), ...files.map((path) => `wrote ${path}`)].join("\n"),
    });
  } catch (error) {
    if (!context.signal.aborted) throw error;
    const { Interrupted } = await import("../interrupt.ts");
    throw new Interrupted(`interrupted; ${done}`);
  } finally {
    display.stop();
  }
}

/** @throws OptionError naming the nearest experiment, if there is none of that name. */
async function findExperiment(id: string): Promise<Experiment> {
  const { experiments } = await import("../../experiments/index.ts");
  if (Object.hasOwn(experiments, id)) return experiments[id]!;
  const { nearestName } = await import("../../data/index.ts");
  const { OptionError } = await import("../../errors.ts");
  const names = Object.keys(experiments);
  const nearest = nearestName(id, names);
  const remedy = nearest === undefined ? "" : ` Did you mean "${nearest}"?`;
  throw new OptionError(`reproduce: the experiment must be one of ${names.join(", ")}, got "${id}".${remedy}`);
}

/** Opens what the scale needs: what `--data` says, or the folder data/NAME. */
async function openData(
  { id, scales }: Experiment,
  { scale, data: given = [] }: ReproduceOptions,
): Promise<Record<string, LocalData>> {
  const { dataSources, openTrainingData } = await import("../../files/index.ts");
  const { OptionError } = await import("../../errors.ts");
  const sets = new Map(given.map((set) => [set.split(":")[0]!, set]));
  const needed = scales[scale].data;
  for (const name of sets.keys()) {
    if (needed.includes(name)) continue;
    throw new OptionError(
      `--data: at scale "${scale}", ${id} must be given no other data than ${needed.join(", ")}, got "${name}". Leave it out.`,
    );
  }
  const opened: [string, LocalData][] = [];
  for (const name of needed) {
    const source = dataSources.find((one) => one.name === name)!;
    const set = sets.get(name) ?? (source.path === undefined ? name : await besideData(id, name));
    opened.push([name, { set, data: await openTrainingData(set) }]);
  }
  return Object.fromEntries(opened);
}

async function besideData(id: string, name: string): Promise<string> {
  const { stat } = await import("node:fs/promises");
  const { OptionError } = await import("../../errors.ts");
  const path = `data/${name}`;
  if (await stat(path).catch(() => undefined)) return `${name}:${path}`;
  throw new OptionError(
    `reproduce: ${id} needs the data set ${name}, got none at ${path}. Give --data ${name}:PATH; \`modicum data\` tells where to get it.`,
  );
}
