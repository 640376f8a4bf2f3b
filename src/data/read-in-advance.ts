/** Reading what comes next while somebody works on what is there. */

/** What is read, and how much of it at a time. */
export interface AdvanceOptions {
  /** Number of the first. */
  readonly from: number;
  /** Number after the last. */
  readonly to: number;
  /** How many are read, or lie ready, before they are asked for. */
  readonly ahead: number;
}

/**
 * Yields `read(from)`, ..., `read(to - 1)` in order. Up to `ahead` of them are read before they are asked for: in the event
 * loop's next turn, when the consumer has set its own work going, or when it asks for the next if that comes first.
 */
export async function* inAdvance<T>(
  read: (number: number) => Promise<T>,
  { from, to, ahead }: AdvanceOptions,
): AsyncGenerator<T> {
  const pending: Promise<T>[] = [];
  let next = from;
  const fill = (): void => {
    while (next < to && pending.length < ahead) {
      const reading = read(next++);
      // A failed read must wait for its turn rather than end the process as an unhandled rejection.
      reading.catch(() => {});
      pending.push(reading);
    }
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    for (let number = from; number < to; number++) {
      clearTimeout(timer);
      fill();
      const value = await pending.shift()!;
      timer = setTimeout(fill, 0);
      yield value;
    }
  } finally {
    clearTimeout(timer);
  }
}
