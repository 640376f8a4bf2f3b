/** What a draft computes, in float arithmetic: for judging it, and as what training starts from. */
import type { Node, Value } from "../../program/index.ts";
import type { ActivationGrid } from "../grid.ts";
import type { LoweredProgram } from "../lowering/plan.ts";
import { lowerToSimulation, type SimulatedGrid, type SimulatedLayer } from "../lowering/simulate.ts";
import { floatsOf } from "../quantize-layer.ts";
import { cloneDraft } from "./clone-draft.ts";
import type { Draft } from "./refinement.ts";

/** A float program that computes what a draft stands for. */
export interface SimulatedDraft extends LoweredProgram {
  /** Where the draft's own values are in the simulation: as they are read there, rounded where they have a grid. */
  locate(value: Value): Value;
}

/**
 * Returns a float program that computes what the draft's integers would, but for the rounding of biases. The draft and its
 * program stay as they are.
 */
export function simulateDraft(original: Draft): SimulatedDraft {
  const { draft, values } = cloneDraft(original);
  return simulated(draft, values);
}

/** The same in place: the draft's program becomes the simulation. */
export function simulateInPlace(draft: Draft): SimulatedDraft {
  return simulated(draft, new Map());
}

function simulated(draft: Draft, values: ReadonlyMap<Value, Value>): SimulatedDraft {
  const layers = new Map<Node, SimulatedLayer[]>();
  for (const [layer, { weights, channels, biasShift }] of draft.weights) {
    const one = { layer, channels, biasShift, floats: floatsOf(layer, weights) };
    layers.set(layer.node, [...(layers.get(layer.node) ?? []), one]);
  }
  const lowered = lowerToSimulation({ program: draft.program, layers, grids: roundedGrids(draft) });
  const locate = (value: Value): Value => {
    const copy = values.get(value) ?? value;
    return lowered.values.get(copy)?.value ?? copy;
  };
  return { ...lowered, locate };
}

/** The grids of values that must be rounded; what only moves rounded elements is rounded already. */
export function roundedGrids({ grids, plan }: Pick<Draft, "grids" | "plan">): Map<Value, SimulatedGrid> {
  const rounded = [...grids].filter(([value]) => !plan.sameGridAs.has(value) && !plan.concatenations.has(value));
  return new Map(rounded.map(([value, grid]) => [value, simulatedGrid(grid)]));
}

function simulatedGrid(grid: ActivationGrid): SimulatedGrid {
  const { channelScales, ...own } = grid;
  if (!channelScales) return { grids: [own], channelAxis: 1 };
  return {
    grids: Array.from(channelScales, (share) => ({ ...own, scale: Math.fround(own.scale * share) })),
    channelAxis: 1,
  };
}
