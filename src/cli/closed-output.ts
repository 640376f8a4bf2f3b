/** What happens when nobody reads what is printed, as in `modicum inspect model.onnx | head -1`, or it cannot be stored. */

/** The part of a process this needs; tests give streams of their own. */
interface Outputs {
  readonly stdout: ErrorEmitter;
  readonly stderr: ErrorEmitter & { write(text: string): unknown };
  exit(code: number): unknown;
}

interface ErrorEmitter {
  on(event: "error", listener: (error: NodeJS.ErrnoException) => void): unknown;
}

/**
 * Lets the work go on when stdout or stderr is closed: the files it makes are still wanted, and the exit code is theirs.
 * When stdout cannot take the result for any other reason (a full disk), says so and exits with 1.
 */
export function outliveClosedOutput({ stdout, stderr, exit }: Outputs): void {
  stderr.on("error", () => {});
  stdout.on("error", ({ code, message }) => {
    if (code === "EPIPE") return;
    stderr.write(`error: stdout: must be writable, got ${code ?? message}.\n`);
    exit(1);
  });
}
