/** A probe: the norm of every output channel, to be followed by other runs. */
import { OptionError } from "../../errors.ts";
import type { ChannelNorms } from "../../optim/index.ts";
import type { Probe, ProbeInterval } from "../probe.ts";
import type { RunEvent } from "../run-event.ts";
import { normsOfChannels, type ParameterMatch, weightPaths } from "./channels.ts";

/** What is recorded, and how often. */
export interface ChannelNormsOptions {
  /** Whether the parameter at this path is recorded. Default: every parameter with two or more axes. */
  readonly match?: ParameterMatch;
  /** Default: once in each pass over the training data. */
  readonly every?: ProbeInterval;
}

/**
 * Returns a probe of the Euclidean norm of each output channel (first axis): `<path>[<channel>]`. `channelNormsOf` makes of its events
 * what `optim.correctedRate` and `optim.normSchedule` take.
 *
 * @see Hoffer, Banner, Golan, Soudry 2018, "Norm matters", arXiv:1803.01814, section 3
 * @example
 * const events: RunEvent[] = [];
 * await fit(plan, { runtime, probes: { norms: channelNorms() }, onEvent: (event) => void events.push(event) });
 * const recorded = channelNormsOf(events, "norms");
 */
export function channelNorms({ match, every = { epochs: 1 } }: ChannelNormsOptions = {}): Probe {
  return {
    every,
    async measure({ plan, variables }) {
      const all = await variables();
      return Object.fromEntries(
        weightPaths(plan, match).flatMap((path) =>
          normsOfChannels(all[path]!).map((norm, channel) => [`${path}[${channel}]`, norm]),
        ),
      );
    },
  };
}

/**
 * Returns the norms that the probe `channelNorms` reported in a run, at the end of each pass over the training data. Events of a
 * file (JSON, one per line) do as well, and so do those of a run that was resumed.
 *
 * @param events All events of the run.
 * @param name The probe's name in the run.
 * @throws OptionError if the norms of a pass are missing.
 */
export function channelNormsOf(events: readonly RunEvent[], name: string): ChannelNorms {
  const start = events.find((event) => event.type === "start");
  const rows = new Map<number, Readonly<Record<string, number>>>();
  for (const event of events) {
    if (event.type === "probe" && event.name === name && Number.isInteger(event.epoch))
      rows.set(event.epoch, event.values);
  }
  const passes = Math.max(0, ...rows.keys());
  const missing = Array.from({ length: passes }, (_, i) => i + 1).find((epoch) => !rows.has(epoch));
  if (start?.type !== "start" || passes === 0 || missing !== undefined) {
    throw new OptionError(
      `channelNormsOf: events must hold the run's start and probe "${name}" for each pass over the training data, ` +
        `got ${missing === undefined ? `${passes} passes` : `none for pass ${missing}`}. Probe every epoch.`,
    );
  }
  const norms: Record<string, number[][]> = {};
  for (let epoch = 1; epoch <= passes; epoch++) {
    for (const [key, norm] of Object.entries(rows.get(epoch)!)) {
      const [, path, channel] = /^(.*)\[(\d+)\]$/.exec(key)!;
      norms[path!] ??= Array.from({ length: passes }, () => []);
      norms[path!]![epoch - 1]![Number(channel)] = norm;
    }
  }
  return { stepsPerEpoch: start.stepsPerEpoch, norms };
}
