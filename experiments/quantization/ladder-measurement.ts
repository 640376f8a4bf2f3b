/** What is measured of one ladder: a model, a width, a seed. */
import type { Evaluation, RungReport } from "../../src/quantize/index.ts";

/** A rung with its model on pictures that nothing was fitted to. */
export interface MeasuredRung extends Omit<RungReport, "evaluation"> {
  readonly evaluation: Evaluation;
  /** For each picture "1" if the top class is right, else "0": for differences in pairs. */
  readonly right: string;
}

/** One climb. */
export interface LadderMeasurement {
  readonly task: string;
  readonly title: string;
  readonly note: string;
  /** Such as "W4A8". */
  readonly bits: string;
  readonly seed: number;
  /** Of the whole quantization. */
  readonly seconds: number;
  /** Load of the machine when it was done: above 2 others were at work, and seconds mean little. */
  readonly load: number;
  readonly float: MeasuredRung;
  readonly rungs: readonly MeasuredRung[];
}
