/** Lets refinements rewrite the float program, and checks that it still computes the same. */
import { RuntimeFailure } from "../../errors.ts";
import { findLayers, outputDifference } from "../../prepare/index.ts";
import { cloneProgram, type Program } from "../../program/index.ts";
import type { Feeds } from "../options.ts";
import type { RewriteContext } from "./refinement.ts";

/** Largest relative difference that a rewrite may make: far above rounding in float32, far below a wrong factor. */
const TOLERANCE = 1e-3;

/**
 * Applies the rewrites of the settings' refinements to a prepared program, in place. Returns what they say.
 *
 * @throws RuntimeFailure if the outputs on `feeds` are no longer what they were.
 */
export async function rewriteProgram(program: Program, feeds: Feeds, context: RewriteContext): Promise<string[]> {
  const rewriting = context.settings.refinements.filter(({ rewrite }) => rewrite !== undefined);
  if (rewriting.length === 0) return [];
  const { program: before } = cloneProgram(program);
  const notes: string[] = [];
  for (const refinement of rewriting) {
    const layers = findLayers(program).filter(({ reason }) => reason === undefined);
    const said = await refinement.rewrite!(program, layers, context);
    notes.push(...said.map((note) => `${refinement.name}: ${note}`));
    const { relative, output } = await outputDifference(before, program, { runtime: context.runtime, feeds });
    if (!(relative <= TOLERANCE)) {
      throw new RuntimeFailure(
        `quantize: ${refinement.name} must leave the model's outputs as they are, but changed ${output} by ${relative} of its largest value. Leave it out of the refinements, and report this.`,
      );
    }
  }
  return notes;
}
