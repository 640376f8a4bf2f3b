/** `--synthesize`: pictures to calibrate on, made from the model itself, and shown in the report. */
import { encodePng } from "../files/index.ts";
import type { Program } from "../program/index.ts";
import type { SynthesisOptions, SynthesizedPictures } from "../refine/index.ts";
import { formatFixed, type ReportExtras } from "../report/index.ts";
import { DEFAULT_BUDGET_SECONDS, type RefinementFlags } from "./refinement-options.ts";

/** Part of the budget after which the pictures are what they are: the rest is for what is done with them. */
const SHARE_OF_BUDGET = 1 / 4;

/** What the user said about it. */
export interface SynthesisFlags extends Pick<RefinementFlags, "budget"> {
  /** Number of pictures; undefined when none are wanted. */
  readonly synthesize?: number;
  readonly seed?: number;
}

/** Makes the pictures; undefined when none are wanted. Throws what `synthesizePictures` throws. */
export async function synthesizeFromFlags(
  program: Program,
  { synthesize: count, seed = 0, budget = DEFAULT_BUDGET_SECONDS }: SynthesisFlags,
  options: Pick<SynthesisOptions, "runtime" | "signal" | "onProgress">,
): Promise<SynthesizedPictures | undefined> {
  if (count === undefined) return undefined;
  const { synthesizePictures } = await import("../refine/index.ts");
  const deadlineMs = performance.now() + 1000 * SHARE_OF_BUDGET * budget;
  return synthesizePictures(program, { ...options, count, seed, deadlineMs });
}

/** Returns what the report shows of the pictures. */
export async function synthesizedExtras(synthesized: SynthesizedPictures | undefined): Promise<ReportExtras> {
  if (!synthesized) return {};
  const { contactSheet } = await import("../refine/index.ts");
  const { description, mismatch, pictures } = synthesized;
  const { before, after } = mismatch;
  const png = await encodePng(contactSheet(pictures));
  const text =
    `${description}, or as many as fit. Distance from the known statistics: ${formatFixed(after, 4)} nats per channel, ` +
    `of the noise they began as ${formatFixed(before, 4)}. Colours are stretched.`;
  return { pictures: { source: `data:image/png;base64,${Buffer.from(png).toString("base64")}`, text } };
}
