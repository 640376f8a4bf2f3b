/** How close a draft is to the float model, by what both give for the same samples. */
import { cloneProgram } from "../../program/index.ts";
import type { Runtime } from "../../runtime/index.ts";
import { isFloat } from "../../tensor/index.ts";
import { type MeasuredPair, measureSqnr } from "../measure.ts";
import type { CalibrationData } from "../options.ts";
import type { Draft } from "./refinement.ts";
import { simulateDraft } from "./simulate-draft.ts";

/** What judging needs. */
export interface JudgeOptions {
  readonly runtime: Runtime;
  readonly signal: AbortSignal | undefined;
}

/** What an output without any error, or without any signal, counts as, dB. */
const BEST_DB = 200;

/** Returns the signal-to-noise ratio of the model's float outputs, the mean over them, in dB; null where there are none. */
export async function judge(draft: Draft, data: CalibrationData, options: JudgeOptions): Promise<number | null> {
  const outputs = draft.program.graph.outputs.filter(({ dtype }) => dtype !== undefined && isFloat(dtype));
  if (outputs.length === 0) return null;
  const reference = cloneProgram(draft.program);
  const simulation = simulateDraft(draft);
  const pairs = outputs.map((output): MeasuredPair => {
    return { float: reference.values.get(output)!, quantized: { value: simulation.locate(output), grid: undefined } };
  });
  const lowered = { program: simulation.program, values: new Map() };
  const everything = { ...options, simulation: true, batches: Number.POSITIVE_INFINITY };
  const sqnr = await measureSqnr(reference.program, lowered, pairs, data, everything);
  return sqnr.reduce<number>((sum, decibels) => sum + Math.min(decibels ?? BEST_DB, BEST_DB), 0) / sqnr.length;
}
