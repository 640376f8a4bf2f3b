/** Long work on the one thread that JavaScript has: letting others have a turn, and ending it when it is no longer wanted. */

/** Longest that work goes on before timers, events and rendering have their turn. */
const LONGEST_MILLISECONDS = 50;

/**
 * Returns what to await between pieces of work: it lets other work have a turn when that is due, and throws the signal's
 * reason once that is aborted.
 */
export function breathing(signal: AbortSignal | undefined): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last > LONGEST_MILLISECONDS) {
      await new Promise((resolve) => setTimeout(resolve));
      last = performance.now();
    }
    signal?.throwIfAborted();
  };
}
