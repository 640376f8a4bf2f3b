/** Measuring one case: our step against the machine's floor and against every peer, one pair at a time. */
import { alternate, lossDifference, type Measurement, summarize, type WarmSide, warmUp } from "./alternate.ts";
import { stepFlops, type TrainingCase } from "./cases/case.ts";
import { GEMM_FLOPS } from "./gemm-size.ts";
import { PEERS, type PeerName } from "./peers.ts";
import type { SideArguments } from "./serve.ts";
import { Side, type SideCommand, SideFailure } from "./side.ts";
import { median, type Ratio, type Round, ratioOf } from "./statistics.ts";

/** A peer's measurement, or why there is none. */
export type PeerResult =
  | (Measurement & {
      /** Which of the peer's ways was fastest. */
      readonly variant: string;
      /** Largest relative difference of the first losses to ours. */
      readonly lossDifference: number;
    })
  | {
      readonly missing: string;
      /** Where the peer was too slow to wait for: a step takes longer than this. */
      readonly slowerThanMs?: number;
    };

/** Our steps in another way: in a Loop, or in 8 bits. */
export type OtherWay = Measurement & {
  /** Its time per step over that of single steps, and the quartiles. */
  readonly ratio: number;
  readonly ratioSpread: readonly [number, number];
};

/** Numbers by peer. */
type ByPeer<Value> = Readonly<Partial<Record<PeerName, Value>>>;

/** The result of one case. */
export interface CaseResult {
  readonly name: string;
  readonly description: string;
  readonly parameters: number;
  readonly stepFlops: number;
  readonly ours: {
    readonly float32: Measurement & { readonly firstLosses: readonly number[] };
    /** Where a Loop over several steps is faster than single steps. */
    readonly float32Loop?: OtherWay;
    /** With products of bytes. */
    readonly int8: OtherWay;
  };
  readonly peers: ByPeer<PeerResult>;
  /** A peer's time over ours. */
  readonly ratios: ByPeer<number>;
  /** Quarter and three-quarter points of the rounds' ratios. */
  readonly ratioSpread: ByPeer<readonly [number, number]>;
  /** The same against our steps in a Loop, where that is faster. */
  readonly loopRatios?: ByPeer<number>;
  readonly loopRatioSpread?: ByPeer<readonly [number, number]>;
  /** The same against our steps in 8 bits. */
  readonly int8Ratios: ByPeer<number>;
  readonly int8RatioSpread: ByPeer<readonly [number, number]>;
  /** Floating-point operations per second of our step over those of a large matrix product on the same threads. */
  readonly peakShare: number;
  readonly gemmGflops: number;
}

/** How a case is measured. */
export interface MeasureOptions {
  readonly one: TrainingCase;
  /** Where `writeCase` put it. */
  readonly folder: string;
  readonly peers: readonly PeerName[];
  readonly threads: number;
  readonly rounds: number;
  readonly limitSeconds: number;
  readonly ours: SideCommand;
  readonly gemm: SideCommand;
  /** Told what is being done. */
  readonly onProgress: (message: string) => void;
}

/** @throws SideFailure if our own side fails. */
export async function measureCase(options: MeasureOptions): Promise<CaseResult> {
  const { one, folder, threads, onProgress } = options;
  const limitMs = options.limitSeconds * 1000;
  const begin = (command: SideCommand, variant: string): Promise<WarmSide> =>
    startWarm(command, { folder, threads, variant }, limitMs);
  onProgress("ours: compile and warm up");
  const ours = await begin(options.ours, "float32");
  const turns: (readonly number[])[] = [];
  const others: OtherTurns[] = [];
  let peakMiB = 0;
  const against: Against = async (peer, most = options.rounds) => {
    const sides = [ours, ...others.map(({ side }) => side)];
    const rounds = await alternate(sides, peer, Math.min(most, options.rounds));
    turns.push(...rounds.map((round) => round.ours[0]!));
    others.forEach((other, index) => {
      other.turns.push(...rounds.map((round) => round.ours[index + 1]!));
    });
    peakMiB = ours.side.peakMiB;
    return rounds;
  };
  try {
    onProgress("against the machine's GEMM");
    const gemmMs = await measureGemm(options.gemm, begin, against);
    onProgress("against our own steps in 8 bits");
    const int8 = await otherWay("int8", options, { begin, against }, options.rounds);
    onProgress("against our own steps in a Loop");
    const loop = await fasterLoop(options, { begin, against });
    others.push(int8, ...(loop ? [loop] : []));
    const results: Partial<Record<PeerName, PeerResult>> = {};
    const single = ratiosByPeer();
    const looped = ratiosByPeer();
    const inBytes = ratiosByPeer();
    for (const name of options.peers) {
      onProgress(`against ${name}`);
      try {
        const { result, rounds } = await measurePeer(name, options, { ours, begin, against });
        results[name] = result;
        single.set(name, ratioOf(rounds));
        inBytes.set(name, ratioOf(rounds, 1));
        if (loop) looped.set(name, ratioOf(rounds, 2));
      } catch (error) {
        const isOurs = [ours, ...others.map(({ side }) => side)].some(({ side }) => side.failure === error);
        if (!(error instanceof SideFailure) || isOurs) throw error;
        const { message: missing, limitMs: slowerThanMs } = error;
        results[name] = slowerThanMs === undefined ? { missing } : { missing, slowerThanMs };
        onProgress(`${name} is missing: ${missing}`);
      }
    }
    const flops = stepFlops(one);
    const gemmGflops = GEMM_FLOPS / gemmMs / 1e6;
    const float32 = { ...summarize(ours.side.ready, turns, peakMiB), firstLosses: ours.firstLosses };
    return {
      name: one.name,
      description: one.description,
      parameters: one.parameters.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
      stepFlops: flops,
      ours: {
        float32,
        ...(loop && { float32Loop: otherMeasurement(loop) }),
        int8: otherMeasurement(int8),
      },
      peers: results,
      ratios: single.medians,
      ratioSpread: single.spreads,
      ...(loop && { loopRatios: looped.medians, loopRatioSpread: looped.spreads }),
      int8Ratios: inBytes.medians,
      int8RatioSpread: inBytes.spreads,
      peakShare: flops / float32.medianMs / 1e6 / gemmGflops,
      gemmGflops,
    };
  } finally {
    await ours.side.stop();
    for (const { side } of others) await side.side.stop();
  }
}

interface OtherTurns {
  readonly side: WarmSide;
  /** Its time over that of single float32 steps. */
  readonly ratio: Ratio;
  readonly turns: (readonly number[])[];
}

/** Rounds in which single steps and those in a Loop are compared: the Loop's turns are long where steps are. */
const LOOP_ROUNDS = 5;

/** Returns our steps in a Loop if they are faster than single ones in more than three quarters of the rounds. */
async function fasterLoop(
  options: MeasureOptions,
  { begin, against }: { readonly begin: Begin; readonly against: Against },
): Promise<OtherTurns | undefined> {
  const other = await otherWay("loop", options, { begin, against }, LOOP_ROUNDS);
  if (other.ratio.high < 1) return other;
  await other.side.side.stop();
  return undefined;
}

/** Lets our steps in another way take turns with single float32 steps. */
async function otherWay(
  variant: "loop" | "int8",
  { ours, onProgress }: MeasureOptions,
  { begin, against }: { readonly begin: Begin; readonly against: Against },
  most: number,
): Promise<OtherTurns> {
  const side = await begin(ours, variant);
  const rounds = await against(side, most);
  const ratio = ratioOf(rounds);
  onProgress(`${variant}: ${ratio.median.toFixed(2)} of the time of single float32 steps`);
  return { side, ratio, turns: rounds.map(({ peer }) => peer) };
}

function otherMeasurement({ side, ratio, turns }: OtherTurns): OtherWay {
  const { ready, peakMiB } = side.side;
  return { ...summarize(ready, turns, peakMiB), ratio: ratio.median, ratioSpread: [ratio.low, ratio.high] };
}

function ratiosByPeer() {
  const medians: Partial<Record<PeerName, number>> = {};
  const spreads: Partial<Record<PeerName, readonly [number, number]>> = {};
  const set = (name: PeerName, { median: middle, low, high }: Ratio): void => {
    medians[name] = middle;
    spreads[name] = [low, high];
  };
  return { medians, spreads, set };
}

type Begin = (command: SideCommand, variant: string) => Promise<WarmSide>;
type Against = (peer: WarmSide, rounds?: number) => Promise<Round[]>;

async function startWarm(command: SideCommand, args: SideArguments, limitMs: number): Promise<WarmSide> {
  const side = await Side.start(command, args);
  try {
    return await warmUp(side, limitMs);
  } catch (error) {
    await side.stop();
    throw error;
  }
}

/** Returns the milliseconds of one large matrix product. */
async function measureGemm(command: SideCommand, begin: Begin, against: Against): Promise<number> {
  const gemm = await begin(command, "float32");
  try {
    const rounds = await against(gemm);
    return median(rounds.flatMap(({ peer }) => peer));
  } finally {
    await gemm.side.stop();
  }
}

async function measurePeer(
  name: PeerName,
  { one, onProgress }: MeasureOptions,
  { ours, begin, against }: { readonly ours: WarmSide; readonly begin: Begin; readonly against: Against },
): Promise<{ readonly result: PeerResult; readonly rounds: readonly Round[] }> {
  const command = await PEERS[name].command();
  const variants = PEERS[name].variants(one);
  const variant = variants.length === 1 ? variants[0]! : await fastest(variants, (each) => begin(command, each));
  const peer = await begin(command, variant);
  try {
    const difference = lossDifference(ours.firstLosses, peer.firstLosses, PEERS[name].lossTolerance);
    const rounds = await against(peer);
    const summary = summarize(
      peer.side.ready,
      rounds.map((round) => round.peer),
      peer.side.peakMiB,
    );
    onProgress(`${name}: ${summary.medianMs.toFixed(2)} ms, ours ${ratioOf(rounds).median.toFixed(2)} times as fast`);
    return { result: { ...summary, variant, lossDifference: difference }, rounds };
  } finally {
    await peer.side.stop();
  }
}

/** Runs each variant for a few steps, in a process of its own so that peak memory is the winner's alone. */
async function fastest(variants: readonly string[], start: (variant: string) => Promise<WarmSide>): Promise<string> {
  const times: { readonly variant: string; readonly stepMs: number }[] = [];
  for (const variant of variants) {
    const { side, stepMs } = await start(variant);
    await side.stop();
    times.push({ variant, stepMs });
  }
  return times.reduce((best, each) => (each.stepMs < best.stepMs ? each : best)).variant;
}
