/** Ctrl-C: ask the work to stop, and stop it. */

/** How long running work may take to end by itself after an interrupt, milliseconds. */
const GRACE_MS = 2000;

/**
 * Runs work that an interrupt (SIGINT, SIGTERM) stops: first by the signal, which long loops check, then by letting the
 * process die of the signal as it would without us. Files are written by renaming, so neither leaves half a file.
 *
 * @throws whatever the work throws; the signal's AbortError when it was interrupted.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
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
    timer = setTimeout(() => die(name), GRACE_MS);
  };
  const remove = (): void => {
    clearTimeout(timer);
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  try {
    const result = await work(controller.signal);
    controller.signal.throwIfAborted();
    return result;
  } catch (error) {
    controller.signal.throwIfAborted();
    throw error;
  } finally {
    remove();
  }
}
