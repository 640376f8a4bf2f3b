/** The tables of options in docs/cli.md, made from the options themselves. */
import { Command, type Option } from "commander";
import { addCommonOptions, type CommandContext, type CommandModule } from "../src/cli/command.ts";
import { addPreprocessingOptions, addRuntimeOptions } from "../src/cli/data-options.ts";

const MODULES: Readonly<Record<string, () => Promise<CommandModule>>> = {
  inspect: () => import("../src/cli/commands/inspect.ts"),
  quantize: () => import("../src/cli/commands/quantize.ts"),
  evaluate: () => import("../src/cli/commands/evaluate.ts"),
  compare: () => import("../src/cli/commands/compare.ts"),
  train: () => import("../src/cli/commands/train.ts"),
  export: () => import("../src/cli/commands/export.ts"),
  runs: () => import("../src/cli/commands/runs.ts"),
  reproduce: () => import("../src/cli/commands/reproduce.ts"),
  rounding: () => import("../src/cli/commands/rounding.ts"),
  tune: () => import("../src/cli/commands/tune.ts"),
  data: () => import("../src/cli/commands/data.ts"),
};

/** Options that several commands have, by the name of their table. */
const SHARED: Readonly<Record<string, (command: Command) => Command>> = {
  "every command": addCommonOptions,
  running: addRuntimeOptions,
  preprocessing: addPreprocessingOptions,
};

/** Names of all commands. */
export const COMMAND_NAMES: readonly string[] = Object.keys(MODULES);

/** Returns a command with its arguments and options, that does nothing. */
export async function commandDefinition(name: string): Promise<Command> {
  const silent = { write: () => true };
  const { signal } = new AbortController();
  const context: CommandContext = { stdout: silent, stderr: silent, signal, allowGrace: () => {} };
  const command = new Command(name).exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} });
  await (await MODULES[name]!()).define(command, context);
  return command.action(() => {});
}

/**
 * Returns a page with the table after each `<!-- options: name -->` up to `<!-- end -->` replaced by what the commands have
 * now. Names are those of commands, `every command`, `running` and `preprocessing`; a command's table leaves out the shared
 * options.
 */
export async function withOptionTables(page: string): Promise<string> {
  const tables = new Map<string, string>();
  const shared = new Set<string>();
  for (const [name, add] of Object.entries(SHARED)) {
    const { options } = add(new Command());
    for (const { flags } of options) shared.add(flags);
    tables.set(name, optionTable(options));
  }
  for (const name of COMMAND_NAMES) {
    const { options } = await commandDefinition(name);
    tables.set(name, optionTable(options.filter(({ flags }) => !shared.has(flags))));
  }
  return page.replace(
    /(<!-- options: (.+?) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_, start: string, name: string, end: string) => {
      const table = tables.get(name);
      if (table === undefined)
        throw new Error(`docs: a table of options must be one of ${[...tables.keys()].join(", ")}, got "${name}".`);
      return `${start}\n${table}\n\n${end}`;
    },
  );
}

function optionTable(options: readonly Option[]): string {
  const rows = options.map((option) => `| \`${option.flags}\` | ${describe(option).replaceAll("|", "\\|")} |`);
  return ["| option | meaning |", "| --- | --- |", ...rows].join("\n");
}

function describe({ description, argChoices, defaultValue, mandatory }: Option): string {
  const facts = [
    ...(mandatory && defaultValue === undefined ? ["required"] : []),
    ...(argChoices?.some((choice) => !description.includes(choice)) ? [`one of ${argChoices.join(", ")}`] : []),
    ...(defaultValue === undefined ? [] : [`default ${String(defaultValue)}`]),
  ];
  return facts.length === 0 ? description : `${description} (${facts.join("; ")})`;
}
