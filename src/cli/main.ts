/**
 * The command line. `main` runs one command and returns the exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
 *
 * This is the only place that catches everything. With `--json`, stdout carries one JSON object whatever happens: the
 * command's result, or `{"error": {"code", "message"}}`. The same message goes to stderr.
 */
import { readFile } from "node:fs/promises";
import { Command, CommanderError } from "commander";
import { ModicumError } from "../errors.ts";
import { outliveClosedOutput } from "./closed-output.ts";
import type { CommandContext, CommandModule, OutputStream } from "./command.ts";
import { Interrupted, interruptible } from "./interrupt.ts";

interface CommandEntry {
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

/** Every command. Modules are loaded when their command is used, so that `--help` is instant. */
const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  inspect: {
    summary: "show what a model is made of, and which layers would be quantized",
    load: () => import("./commands/inspect.ts"),
  },
  quantize: {
    summary: "make a model smaller and faster, with 8 bits or 4",
    load: () => import("./commands/quantize.ts"),
  },
  evaluate: {
    summary: "measure accuracy and speed of models on labelled data",
    load: () => import("./commands/evaluate.ts"),
  },
  compare: {
    summary: "show what sets a model apart from another",
    load: () => import("./commands/compare.ts"),
  },
  train: {
    summary: "train a network by a recipe, or fine-tune a model; go on with a run",
    load: () => import("./commands/train.ts"),
  },
  export: {
    summary: "write the network of a run as an ONNX model",
    load: () => import("./commands/export.ts"),
  },
  reproduce: {
    summary: "run a published experiment and put what comes of it beside the published numbers",
    load: () => import("./commands/reproduce.ts"),
  },
  runs: {
    summary: "list training runs, or compare them on a page",
    load: () => import("./commands/runs.ts"),
  },
  rounding: {
    summary: "show what training in 8 bits does to each layer of a run",
    load: () => import("./commands/rounding.ts"),
  },
  tune: {
    summary: "measure which forms of training steps are fastest on this machine",
    load: () => import("./commands/tune.ts"),
  },
  data: {
    summary: "list what can be trained on, and check a copy of it",
    load: () => import("./commands/data.ts"),
  },
};

/** Where `main` writes: stdout and stderr of the process by default. */
export interface MainStreams {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
}

/**
 * Runs the command line.
 *
 * @param argv The arguments after the program's name.
 * @returns The exit code: 0, 1 (failure), 2 (wrong usage) or 130 (interrupted). Never throws.
 */
export async function main(argv: readonly string[], streams: MainStreams = process): Promise<number> {
  if (streams === process) outliveClosedOutput(process);
  try {
    return await interruptible(async (interruption) => {
      const program = await makeProgram(argv, { ...pick(streams), ...interruption });
      await program.parseAsync(argv, { from: "user" });
      return 0;
    });
  } catch (error) {
    return reportFailure(error, argv, streams);
  }
}

function pick({ stdout, stderr }: MainStreams): MainStreams {
  return { stdout, stderr };
}

async function makeProgram(argv: readonly string[], context: CommandContext): Promise<Command> {
  const program = new Command("modicum")
    .description(
      "Neural networks on a budget: trains them, quantizes ONNX models to 8 and 4 bits, and proves what accuracy is left.",
    )
    .version(await packageVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text),
      outputError: () => {},
    })
    .addHelpText("after", EXAMPLES);
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    const command = program
      .command(name)
      .summary(summary)
      .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`);
    if (argv.includes(name)) await (await load()).define(command, context);
  }
  return program;
}

const EXAMPLES = `
Examples:
  $ modicum inspect  model.onnx
  $ modicum quantize model.onnx --weights 4 --activations 8 --calibrate pictures/ --output small.onnx --report small.html
  $ modicum evaluate model.onnx small.onnx --data pictures/
  $ modicum compare  model.onnx small.onnx --data pictures/
  $ modicum train    resnet20 --data cifar10:data/cifar10 --output runs/first
  $ modicum export   runs/first --output resnet20.onnx

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted. \`modicum <command> --help\` tells more.`;

async function packageVersion(): Promise<string> {
  const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** What the user is told about a failure. */
interface Failure {
  readonly exitCode: number;
  readonly code: string;
  readonly message: string;
}

function reportFailure(error: unknown, argv: readonly string[], { stdout, stderr }: MainStreams): number {
  const failure = describeFailure(error, argv);
  if (failure.exitCode === 0) return 0;
  const { code, message } = failure;
  if (message !== "") stderr.write(`error: ${message}\n`);
  if (argv.includes("--debug") && error instanceof Error) stderr.write(`${stackWithCauses(error)}\n`);
  if (argv.includes("--json")) stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
  return failure.exitCode;
}

function describeFailure(error: unknown, argv: readonly string[]): Failure {
  if (error instanceof CommanderError) return describeUsageError(error, argv);
  if (error instanceof ModicumError) {
    return { exitCode: error.code === "option" ? 2 : 1, code: error.code, message: error.message };
  }
  if (error instanceof Interrupted) return { exitCode: 130, code: "interrupted", message: error.message };
  if (error instanceof Error && error.name === "AbortError") {
    return { exitCode: 130, code: "interrupted", message: "interrupted; nothing was written." };
  }
  const text = error instanceof Error ? error.message : String(error);
  const hint = argv.includes("--debug") ? "" : " with what --debug adds";
  return {
    exitCode: 1,
    code: "internal",
    message: `unexpected failure: ${text.split("\n")[0]}. This is a bug in modicum: please report it${hint}.`,
  };
}

/** Commander ends `--help` and `--version` by an error with exit code 0; a missing command shows the help on stderr. */
function describeUsageError(error: CommanderError, argv: readonly string[]): Failure {
  if (error.exitCode === 0) return { exitCode: 0, code: "", message: "" };
  if (error.code === "commander.help")
    return { exitCode: 2, code: "usage", message: "a command must be given, got none." };
  const command = argv.find((argument) => Object.hasOwn(COMMANDS, argument));
  const text = error.message.replace(/^error: /, "").replace("\n", " ");
  const help = ["modicum", ...(command ? [command] : []), "--help"].join(" ");
  return {
    exitCode: 2,
    code: "usage",
    message: `${text.endsWith(")") || text.endsWith(".") ? text : `${text}.`} See \`${help}\`.`,
  };
}

function stackWithCauses(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackWithCauses(error.cause)}` : "";
  return `${error.stack ?? error.message}${cause}`;
}
