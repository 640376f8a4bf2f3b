/** Measuring two sides in alternation. */
import { type Side, SideFailure, type SideReady, type Turn } from "./side.ts";
import { median, quantile, type Round } from "./statistics.ts";

/** A turn is as many steps as fit in here, and at least one. */
const TURN_MS = 1200;
/** All turns of one side together: slow peers get fewer rounds. */
const TOTAL_MS = 30_000;
/** Steps before anything counts: libraries choose kernels, compilers compile, and the machine finds its memory. */
const WARM_STEPS = 4;
/** Time for threads of the side whose turn is over to stop waiting actively. */
const PAUSE_MS = 50;

/** A side that has taken its first steps. */
export interface WarmSide {
  readonly side: Side;
  /** Losses of the first steps, from the given weights on. */
  readonly firstLosses: readonly number[];
  readonly stepMs: number;
  /** The first step, where another would be too slow to wait for: it stands for the measurement then. */
  readonly only: Turn | undefined;
  /** How long to wait for any answer. */
  readonly limitMs: number;
}

/** Takes the first steps. @throws SideFailure if the first one takes longer than `limitMs`. */
export async function warmUp(side: Side, limitMs: number): Promise<WarmSide> {
  const first = await side.run({ steps: 1, withinMs: 0 }, limitMs);
  const [firstMs] = first.stepMs as [number];
  if (firstMs > TOTAL_MS) return { side, firstLosses: first.losses, stepMs: firstMs, only: first, limitMs };
  const more = await side.run({ steps: WARM_STEPS, withinMs: TURN_MS }, limitMs);
  return {
    side,
    firstLosses: [...first.losses, ...more.losses],
    stepMs: Math.min(...more.stepMs),
    only: undefined,
    limitMs,
  };
}

/** Lets our side, in each of its ways, and the peer take turns. @throws SideFailure of the peer. */
export async function alternate(ours: readonly WarmSide[], peer: WarmSide, rounds: number): Promise<Round[]> {
  if (peer.only) return [{ ours: await takeEach(ours), peer: peer.only.stepMs }];
  const possible = Math.max(1, Math.floor(TOTAL_MS / Math.max(TURN_MS, peer.stepMs)));
  const measured: Round[] = [];
  for (let round = 0; round < Math.min(rounds, possible); round++) {
    measured.push({ ours: await takeEach(ours), peer: (await take(peer)).stepMs });
  }
  return measured;
}

async function takeEach(sides: readonly WarmSide[]): Promise<(readonly number[])[]> {
  const turns: (readonly number[])[] = [];
  for (const side of sides) turns.push((await take(side)).stepMs);
  return turns;
}

async function take({ side, stepMs, limitMs }: WarmSide): Promise<Turn> {
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  return side.run({ steps: Math.max(1, Math.round(TURN_MS / stepMs)), withinMs: TURN_MS }, limitMs);
}

/** Largest difference between two sides' losses, relative, that rounding explains over the first steps. */
export const LOSS_TOLERANCE = 2e-3;

/** Returns the largest relative difference of losses. @throws SideFailure if it is more than rounding. */
export function lossDifference(
  ours: readonly number[],
  peer: readonly number[],
  tolerance: number = LOSS_TOLERANCE,
): number {
  const steps = Math.min(ours.length, peer.length);
  const differences = Array.from({ length: steps }, (_, i) => Math.abs(peer[i]! - ours[i]!) / Math.abs(ours[i]!));
  const wrong = differences.findIndex((difference) => !(difference <= tolerance));
  if (wrong >= 0) {
    throw new SideFailure(`computes something else: loss of step ${wrong + 1} is ${peer[wrong]}, ours ${ours[wrong]}`);
  }
  return Math.max(...differences);
}

/** One side's times and memory in one case. */
export interface Measurement extends SideReady {
  readonly medianMs: number;
  /** 10 % and 90 % of the steps are below. */
  readonly lowMs: number;
  readonly highMs: number;
  readonly stepsPerSecond: number;
  readonly steps: number;
  readonly rounds: number;
  readonly peakMiB: number;
}

/** Summarizes all turns of a side. */
export function summarize(ready: SideReady, turns: readonly (readonly number[])[], peakMiB: number): Measurement {
  const all = turns.flat();
  const medianMs = median(all);
  return {
    medianMs,
    lowMs: quantile(all, 0.1),
    highMs: quantile(all, 0.9),
    stepsPerSecond: 1000 / medianMs,
    steps: all.length,
    rounds: turns.length,
    peakMiB,
    ...ready,
  };
}
