/** From statistics to grids: the range of every quantized activation. */
import type { Value } from "../program/index.ts";
import type { ActivationPlan, ActivationRequest } from "./activation-plan.ts";
import { allocateBits, LARGEST_ALLOCATED_BITS, zeroBitValue } from "./allocation.ts";
import type { ValueStatistics } from "./calibrate.ts";
import { type ActivationGrid, constantGrid, deployableGrid, type Grid, gridFor, type Range } from "./grid.ts";
import type { SimulatedGrid } from "./lowering/simulate.ts";
import type { Allocation } from "./options.ts";
import { rangeMethods } from "./ranges/index.ts";
import type { RangeMethod, RangeRequest } from "./ranges/range-method.ts";
import { channelOrTensor, type Statistics } from "./statistics.ts";

/** How one activation is quantized. */
export interface ActivationChoice {
  readonly request: ActivationRequest;
  readonly statistics: Statistics;
  readonly bits: number;
  readonly method: RangeMethod;
  readonly rangeRequest: RangeRequest;
  readonly range: Range;
  /** The tensor's grid, with scales of channels where `statistics` and `range` are in units of those; in a simulation per channel, of the tensor as a whole (for the report). */
  readonly grid: ActivationGrid;
  /** One grid per channel, in simulations that ask for it. */
  readonly channelGrids: readonly Grid[] | undefined;
}

/** What is asked for one activation. */
export interface ChoiceOptions {
  readonly bits: number;
  readonly method: RangeMethod;
  readonly variant: "paper" | "levels";
  readonly allocation: Allocation;
  readonly perChannel: boolean;
  /** Grids for integer operators: zero inside, zero point a code. */
  readonly deployable: boolean;
}

/** Chooses the range and the grid (or grids) of one activation. */
export function chooseGrid(
  request: ActivationRequest,
  found: ValueStatistics,
  options: ChoiceOptions,
): ActivationChoice {
  const { bits, method, variant, deployable } = options;
  const { channelScales } = found;
  const statistics = found.tensor!;
  const rangeRequest: RangeRequest = {
    bits,
    side: request.side,
    variant,
    ceiling: channelScales ? Number.POSITIVE_INFINITY : request.high,
    subject: request.value.name,
  };
  const chosen = method.choose(statistics, rangeRequest);
  // In units of a channel's largest value there is nothing beyond what an activation function lets through.
  const range = channelScales ? chosen : bounded(chosen, request);
  const grid = {
    ...(deployable ? deployableGrid(range, bits) : gridFor(range, bits)),
    ...(channelScales && { channelScales }),
  };
  const channelGrids = options.perChannel && found.channels ? gridsPerChannel(request, found, options) : undefined;
  return { request, statistics, bits, method, rangeRequest, range, grid, channelGrids };
}

/** A lower bound other than zero (Clip from -1 on) holds for the range too. */
function bounded(range: Range, { low, high }: ActivationRequest): Range {
  return { low: Math.min(Math.max(range.low, low), high), high: Math.max(Math.min(range.high, high), low) };
}

/** ACIQ section 6: bits by each channel's spread, then each channel its own clip at its own bits. */
function gridsPerChannel(request: ActivationRequest, found: ValueStatistics, options: ChoiceOptions): Grid[] {
  const { bits, method, variant, allocation } = options;
  const channels = found.channels!.map((channel) => channelOrTensor(channel, found.tensor!));
  const spreads = channels.map((channel) => channel.standardDeviation);
  const shared = bits <= LARGEST_ALLOCATED_BITS && allocation !== "none";
  const allocated = shared ? allocateBits(spreads, bits, { method: allocation }) : undefined;
  return channels.map((statistics, c) => {
    const own = allocated?.[c] ?? bits;
    if (own === 0) return constantGrid(zeroBitValue(statistics, request.side));
    const rangeRequest: RangeRequest = {
      bits: own,
      side: request.side,
      variant,
      ceiling: request.high,
      subject: request.value.name,
    };
    return gridFor(bounded(method.choose(statistics, rangeRequest), request), own);
  });
}

/** Returns the grid of every quantized activation: the parts of a concatenation share one, moved elements keep theirs. */
export function deployableGrids(
  choices: ReadonlyMap<Value, ActivationChoice>,
  plan: ActivationPlan,
): Map<Value, ActivationGrid> {
  const grids = new Map<Value, ActivationGrid>();
  for (const [value, choice] of choices) grids.set(value, choice.grid);
  for (const [whole, parts] of plan.concatenations) {
    // Of a tensor of unknown rank there are no statistics.
    if (!parts.every((part) => choices.has(part))) continue;
    const ranges = parts.map((part) => choices.get(part)!.range);
    const union = { low: Math.min(...ranges.map(({ low }) => low)), high: Math.max(...ranges.map(({ high }) => high)) };
    const grid = deployableGrid(union, choices.get(parts[0]!)!.bits);
    for (const value of [whole, ...parts]) grids.set(value, grid);
  }
  // In execution order, so that a move of a move finds its source's grid.
  for (const [value, source] of plan.sameGridAs) {
    const grid = grids.get(source);
    if (grid) grids.set(value, grid);
  }
  return grids;
}

/** Returns what a simulation puts after each quantized activation. */
export function simulatedGrids(choices: ReadonlyMap<Value, ActivationChoice>): Map<Value, SimulatedGrid> {
  return new Map(
    [...choices].map(([value, { grid, channelGrids }]) => [value, { grids: channelGrids ?? [grid], channelAxis: 1 }]),
  );
}

/** Min-max: for tensors that ACIQ quantizes without clipping. */
export const UNCLIPPED: RangeMethod = rangeMethods["min-max"];
