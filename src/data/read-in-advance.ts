/** Reading what comes next while somebody works on what is there. */

/** What is read, and how much of it at a time. */
export interface AdvanceOptions {
  /** Number of the first. */
  readonly from: number;
  /** Number after the last. */
  readonly to: number;
  /** How many are read, or lie ready, before they are asked for. */
  readonly ahead: number;
  /**
   * Whether reading takes time but no work of this thread, so that all are begun at once; else what is read ahead is read when the
   * event loop has nothing else to do.
   */
  readonly eager: boolean;
}

/**
 * Yields `read(from)`, ..., `read(to - 1)` in order. Up to `ahead` of them are read before they are asked for: in the event
 * loop's next turn, when the consumer has set its own work going, or (`eager`) when it asks for the next if that comes first.
 */
export async function* inAdvance<T>(
  read: (number: number) => T | Promise<T>,
  { from, to, ahead, eager }: AdvanceOptions,
): AsyncGenerator<T> {
  const pending: (T | Promise<T>)[] = [];
  let next = from;
  const fill = (most: number): void => {
    while (next < to && pending.length < most) pending.push(begin(read, next++));
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    for (let number = from; number < to; number++) {
      clearTimeout(timer);
      fill(eager ? ahead : 1);
      const value = pending.shift()!;
      timer = setTimeout(fill, 0, ahead);
      yield value;
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Begins to read. A failure must wait for its turn rather than end the process, as an unhandled rejection or in a timer. */
function begin<T>(read: (number: number) => T | Promise<T>, number: number): T | Promise<T> {
  try {
    const reading = read(number);
    if (reading instanceof Promise) reading.catch(() => {});
    return reading;
  } catch (error) {
    const failed = Promise.reject(error);
    failed.catch(() => {});
    return failed;
  }
}
