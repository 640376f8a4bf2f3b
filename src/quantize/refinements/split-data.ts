/** Keeping some samples back, so that a refinement is judged by what it was not fitted to. */
import type { CalibrationData, Feeds } from "../options.ts";

/** Of so many batches one is kept for judging. */
const ONE_OF = 8;

/** Fewer batches than this are too few to be divided: they serve both ends. */
const FEWEST_DIVIDED = 2 * ONE_OF;

/** Samples to fit to, and samples to judge by. */
export interface SplitData {
  readonly fit: CalibrationData;
  readonly judge: CalibrationData;
  /** False where there were too few: both are then all of them. */
  readonly divided: boolean;
}

/** Divides data into every eighth batch, to judge by, and the others. */
export async function splitData(data: CalibrationData): Promise<SplitData> {
  let batches = 0;
  for await (const _ of data.batches()) if (++batches === FEWEST_DIVIDED) break;
  if (batches < FEWEST_DIVIDED) return { fit: data, judge: data, divided: false };
  return {
    fit: part(data, (index) => index % ONE_OF !== ONE_OF - 1, (ONE_OF - 1) / ONE_OF),
    judge: part(data, (index) => index % ONE_OF === ONE_OF - 1, 1 / ONE_OF),
    divided: true,
  };
}

function part(data: CalibrationData, belongs: (index: number) => boolean, share: number): CalibrationData {
  return {
    description: data.description,
    ...(data.count !== undefined && { count: Math.round(data.count * share) }),
    async *batches(): AsyncGenerator<Feeds> {
      let index = 0;
      for await (const feeds of data.batches()) if (belongs(index++)) yield feeds;
    },
  };
}
