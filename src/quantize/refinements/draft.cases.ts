/** Drafts of small models for the tests of this folder, and what they compute. */
import { writeModel } from "../../onnx/index.ts";
import type { Program } from "../../program/index.ts";
import type { CalibrationData, Feeds, QuantizeOptions } from "../options.ts";
import { quantize } from "../quantize.ts";
import { runtime, sqnrDb } from "../small-models.cases.ts";
import { cloneDraft } from "./clone-draft.ts";
import type { Draft, RefinedPart, Refinement, RefinementContext } from "./refinement.ts";
import { simulateDraft } from "./simulate-draft.ts";

/** Returns the draft that `quantize` starts refinements from. */
export async function draftOf(
  program: Program,
  calibration: CalibrationData | undefined,
  options: Partial<QuantizeOptions> = {},
): Promise<Draft> {
  let seen: Draft | undefined;
  const capture: Refinement = {
    name: "capture",
    summary: "for tests",
    needsData: false,
    async *refine(draft) {
      // Lowering will rewrite the program in place.
      seen = cloneDraft(draft).draft;
      yield { draft, done: 1, total: 1, unit: "part" };
    },
  };
  const asked = { runtime, weights: 4, policy: "uniform", ...(calibration && { calibration }), ...options };
  await quantize(program, { ...asked, refinements: [...(options.refinements ?? []), capture] });
  return seen!;
}

/** A context of a refinement. */
export function contextOf(data: CalibrationData, options: Partial<RefinementContext> = {}): RefinementContext {
  return {
    runtime,
    data,
    hasData: true,
    seed: 0,
    signal: undefined,
    onProgress: () => {},
    deadlineMs: Number.POSITIVE_INFINITY,
    skip: 0,
    ...options,
  };
}

/** Every part of a refinement of a draft. */
export async function partsOf(
  refinement: Refinement,
  draft: Draft,
  context: RefinementContext,
): Promise<RefinedPart[]> {
  const parts: RefinedPart[] = [];
  for await (const part of refinement.refine!(draft, context)) parts.push(part);
  return parts;
}

/** Runs a program over feeds and returns the numbers of its first output, one array per batch. */
export async function outputsOf(program: Program, feeds: readonly Feeds[]): Promise<Float32Array[]> {
  const session = await runtime.createSession(writeModel(program), { keepQuantization: true });
  const outputs: Float32Array[] = [];
  for (const one of feeds) outputs.push((await session.run(one))[program.graph.outputs[0]!.name]!.data as Float32Array);
  await session.release();
  return outputs;
}

/** Signal to noise of a draft's first output on some feeds, dB. */
export async function draftSqnrDb(draft: Draft, feeds: readonly Feeds[]): Promise<number> {
  const expected = await outputsOf(draft.program, feeds);
  const actual = await outputsOf(simulateDraft(draft).program, feeds);
  const joined = (arrays: readonly Float32Array[]) => Float32Array.from(arrays.flatMap((array) => [...array]));
  return sqnrDb(joined(expected), joined(actual));
}
