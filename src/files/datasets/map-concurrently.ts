/** Work on many things, a few at a time. */

/**
 * Calls `work` for 0 .. count - 1, at most `limit` at a time, and returns the results in order.
 *
 * @throws What the first failing call throws; no further calls begin then.
 */
export async function mapConcurrently<T>(
  count: number,
  limit: number,
  work: (index: number) => Promise<T>,
): Promise<readonly T[]> {
  const results: T[] = new Array(count);
  let next = 0;
  let hasFailed = false;
  const worker = async (): Promise<void> => {
    while (next < count && !hasFailed) {
      const index = next++;
      try {
        results[index] = await work(index);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, count) }, worker));
  return results;
}
