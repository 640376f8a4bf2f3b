/** Ctrl-C: ask the work to stop, and stop it. */

/** How long running work may take to end by itself after an interrupt, milliseconds, if it does not ask for longer. */
const GRACE_MS = 2000;

/** Ends interrupted work with a message of its own, in place of "nothing was written". */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** What interruptible work is given. */
export interface Interruption {
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  /** Lets the work take as long as this to end after an interrupt, because it has something to save. */
  readonly allowGrace: (milliseconds: number) => void;
}

/**
 * Runs work that an interrupt (SIGINT, SIGTERM) stops: first by the signal, which long loops check, then by letting the
 * process die of the signal as it would without us: after two seconds, or when a second interrupt comes. Files are written by
 * renaming, so neither leaves half a file.
 *
 * @throws whatever the work throws; when it was interrupted, the signal's AbortError, or an `Interrupted` of the work's.
 */
export async function interruptible<T>(work: (interruption: Interruption) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let graceMs = GRACE_MS;
  const die = (name: NodeJS.Signals): void => {
    remove();
    process.kill(process.pid, name);
  };
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      die(name);
      return;
    }
    controller.abort();
    timer = setTimeout(() => die(name), graceMs);
  };
  const remove = (): void => {
    clearTimeout(timer);
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  };
  const allowGrace = (milliseconds: number): void => {
    graceMs = milliseconds;
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  try {
    const result = await work({ signal: controller.signal, allowGrace });
    controller.signal.throwIfAborted();
    return result;
  } catch (error) {
    if (!(error instanceof Interrupted)) controller.signal.throwIfAborted();
    throw error;
  } finally {
    remove();
  }
}
