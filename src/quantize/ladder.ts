/** From what calibration found to the best draft: rungs without refinements first, then the refinements. */
import type { Layer } from "../prepare/index.ts";
import type { Program, Value } from "../program/index.ts";
import type { ActivationPlan } from "./activation-plan.ts";
import { breathing } from "./breathing.ts";
import type { ActivationCalibration } from "./calibrate-activations.ts";
import { type ActivationChoice, deployableGrids } from "./choose-grids.ts";
import { type ClimbOptions, climb, type Rung } from "./refinements/climb.ts";
import type { Draft } from "./refinements/refinement.ts";
import { roundLayers } from "./round-layers.ts";
import type { Settings } from "./settings.ts";

/** What a draft is made of. */
export interface DraftParts {
  readonly program: Program;
  readonly layers: readonly Layer[];
  readonly plan: ActivationPlan;
  readonly calibration: ActivationCalibration;
  readonly settings: Settings;
}

/** Rounds weights and takes over the grids that calibration chose: a quantization by closed formulas alone. */
export async function firstDraft(parts: DraftParts, signal: AbortSignal | undefined): Promise<Draft> {
  return draftOf(parts, parts.calibration.choices, signal);
}

/**
 * Returns every rung of the ladder: weights and activations from minimum to maximum, closed formulas, and what each refinement
 * made of the best before it.
 */
export async function climbLadder(parts: DraftParts, best: Draft, options: ClimbOptions): Promise<Rung[]> {
  const { calibration, settings } = parts;
  const plain = { ...settings, correction: "none", weightRange: "min-max" } as const;
  const naive = await draftOf({ ...parts, settings: plain }, calibration.unclipped, options.signal);
  const starts = [
    { name: "min-max", draft: { ...naive, settings } },
    { name: "closed-form", draft: best },
  ];
  return climb(starts, settings.refinements, options);
}

async function draftOf(
  { program, layers, plan, calibration, settings }: DraftParts,
  choices: ReadonlyMap<Value, ActivationChoice>,
  signal: AbortSignal | undefined,
): Promise<Draft> {
  const grids = deployableGrids(choices, plan);
  const weights = await roundLayers(layers, settings, { ...calibration, grids, breathe: breathing(signal) });
  return { program, layers, plan, settings, weights, grids };
}
