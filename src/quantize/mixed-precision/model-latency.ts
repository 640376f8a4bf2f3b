/** How long a model takes for one set of inputs. */
import type { ModelFile } from "../../onnx/index.ts";
import type { Runtime } from "../../runtime/index.ts";
import type { Feeds } from "../options.ts";

/** How long to measure. */
export interface LatencyOptions {
  readonly runtime: Runtime;
  readonly feeds: Feeds;
  /** Milliseconds after which measuring ends, once there are `FEWEST_RUNS`. */
  readonly forMs: number;
}

/** Runs that are not counted, and the fewest a median is taken of. */
const WARM_UP_RUNS = 3;
const FEWEST_RUNS = 7;

/** Returns the median time of a run, in milliseconds. */
export async function modelLatencyMs(model: ModelFile, { runtime, feeds, forMs }: LatencyOptions): Promise<number> {
  const session = await runtime.createSession(model);
  try {
    for (let run = 0; run < WARM_UP_RUNS; run++) await session.run(feeds);
    const begin = performance.now();
    const durations: number[] = [];
    while (durations.length < FEWEST_RUNS || performance.now() - begin < forMs) {
      const start = performance.now();
      await session.run(feeds);
      durations.push(performance.now() - start);
    }
    durations.sort((a, b) => a - b);
    return durations[durations.length >> 1]!;
  } finally {
    await session.release();
  }
}
