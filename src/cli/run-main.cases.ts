/** Runs the command line in this process and collects what it prints; for tests. */
import type { OutputStream } from "./command.ts";
import { main } from "./main.ts";

/** What a run of the command line left. */
export interface MainRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `modicum` with these arguments. */
export async function runMain(argv: readonly string[]): Promise<MainRun> {
  const stdout = outputBuffer();
  const stderr = outputBuffer();
  const code = await main(argv, { stdout, stderr });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

/** Makes a stream that keeps what is written to it. */
export function outputBuffer(): OutputStream & { text(): string } {
  const parts: string[] = [];
  return { write: (text) => parts.push(text), text: () => parts.join("") };
}
