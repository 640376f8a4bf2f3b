/** The contract between main.ts and the commands. */
import type { Command } from "commander";

/** Where text goes: `process.stdout` and `process.stderr`, or buffers in tests. */
export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
}

/** What a command may touch besides files. */
export interface CommandContext {
  /** The result, and nothing else. */
  readonly stdout: OutputStream;
  /** Progress, remarks and errors. */
  readonly stderr: OutputStream;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Lets the command take as long as this to end after Ctrl-C, because it has something to save. Default: 2 seconds. */
  readonly allowGrace: (milliseconds: number) => void;
}

/** A command: one file in commands/, one entry in the record of main.ts. */
export interface CommandModule {
  /**
   * Adds arguments, options, examples and the action to a commander command that has its name and summary already.
   *
   * Called for the one command in use, also for its `--help`: it must not load anything slow. Actions import what they need.
   */
  define(command: Command, context: CommandContext): void | Promise<void>;
}

/** Options that every command has. */
export interface CommonOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly debug?: boolean;
}

/** Adds `--json`, `--quiet` and `--debug`. */
export function addCommonOptions(command: Command): Command {
  return command
    .option("--json", 'print one JSON object on stdout; on failure {"error": {"code", "message"}}')
    .option("--quiet", "no progress on stderr")
    .option("--debug", "print the stack of an error");
}

/** Prints a command's result: as JSON when asked for, otherwise as text. */
export function printResult(
  context: CommandContext,
  options: CommonOptions,
  result: { readonly json: () => unknown; readonly text: () => string },
): void {
  context.stdout.write(`${options.json ? JSON.stringify(result.json(), null, 2) : result.text()}\n`);
}
