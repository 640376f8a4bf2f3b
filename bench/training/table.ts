/** The result as a page of Markdown. */
import type { Measurement } from "./alternate.ts";
import type { CaseResult, OtherWay, PeerResult } from "./measure-case.ts";
import type { PeerName } from "./peers.ts";
import type { BenchResult } from "./result.ts";

/**
 * Returns the page of one run, or of several that measured different cases, with the commands that write it.
 *
 * @throws Error if the runs were not made on the same machine, with the same versions and settings.
 */
export function speedPage(runs: readonly BenchResult[]): string {
  const [first] = runs as readonly [BenchResult];
  assertAlike(runs);
  const { machine, versions, threads, seed } = first;
  const instructions = machine.vectorInstructions.length ? ` with ${machine.vectorInstructions.join(", ")}` : "";
  const cases = runs.flatMap((run) => run.cases);
  const dates = [...new Set(runs.map(({ date }) => date))].join(", ");
  const loads = runs.map((run) => run.machine.loadBefore).join(", ");
  return `# Speed of a training step

Forward, backward, SGD with momentum ${first.optimizer.momentum}, loss read back; float32, ${threads} ${threads === 1 ? "thread" : "threads"}; in 8 bits, products are of bytes (\`precision: int8()\`). Each peer and Modicum take turns in
one run, from the same weights on the same batches; a ratio is the median over the rounds, in brackets its quartiles. The share
of the peak is the step's floating-point operations per second over those of a large matrix product, both medians of the run.
A Loop is several steps in one call (\`compile(step, { loop: true })\`), listed where that is faster. What each case
is: \`bench/README.md\`.

\`\`\`sh
${runs.map(commandOf).join("\n")}
\`\`\`

Written by ${runs.length === 1 ? "this command" : "these commands"} on ${dates}: ${machine.cores} cores of ${machine.cpu}${instructions}, ${machine.memoryGiB} GiB, ${machine.system}; Node ${versions.node},
Modicum ${versions.modicum}, seed ${seed}; load before ${runs.length === 1 ? "the run" : "each run"} ${loads}.

${runs.flatMap((run) => run.cases.map((one) => section(one, run.rounds))).join("\n\n")}

## Versions and settings

${settings(cases)}
`;
}

function commandOf({ arguments: given }: BenchResult): string {
  return ["npm run bench", ...(given.length > 0 ? ["--", ...given] : [])].join(" ");
}

/** @throws Error if one page about the runs would compare what cannot be compared. */
function assertAlike(runs: readonly BenchResult[]): void {
  const settingsOf = ({ machine, versions, threads, seed, optimizer }: BenchResult) =>
    JSON.stringify([{ ...machine, loadBefore: 0 }, versions, threads, seed, optimizer]);
  if (runs.some((run) => settingsOf(run) !== settingsOf(runs[0]!))) {
    throw new Error("runs on one page must have the same machine, versions, threads and seed.");
  }
  const names = runs.flatMap(({ cases }) => cases.map(({ name }) => name));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`runs on one page must measure different cases, got "${twice}" twice.`);
}

function section(one: CaseResult, rounds: number): string {
  const { float32, float32Loop, int8 } = one.ours;
  const share = `${(one.peakShare * 100).toFixed(0)} %`;
  const loopCell = float32Loop ? ["-"] : [];
  const rows = [
    ["Modicum", times(float32), "1", ...loopCell, "-", memory(float32)],
    ...(float32Loop ? [ownRow("Modicum, in a Loop", float32Loop, ["1", "-"])] : []),
    ownRow("Modicum, in 8 bits", int8, [...loopCell, "1"]),
    ...Object.entries(one.peers).map(([name, peer]) => peerRow(name as PeerName, peer, one, rounds)),
  ];
  const header = [
    "side | ms per step (10 - 90 %) | steps/s",
    "its time / ours (quartiles)",
    ...(float32Loop ? ["its time / ours in a Loop"] : []),
    "its time / ours in 8 bits",
    "peak memory, MiB (library alone)",
  ];
  return `## ${one.name}

${one.description}; ${one.parameters.toLocaleString("en")} parameters, ${(one.stepFlops / 1e9).toPrecision(3)} GFLOP per step. Modicum: ${share} of the GEMM peak
(${one.gemmGflops.toFixed(0)} GFLOP/s), compiled in ${float32.buildMs.toFixed(0)} ms; in 8 bits ${ratio(1 / int8.ratio, inverse(int8.ratioSpread))} times as fast.

| ${header.join(" | ")} |
| --- |${" ---: |".repeat(header.length + 1)}
${rows.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}`;
}

function ownRow(name: string, way: OtherWay, cells: readonly string[]): string[] {
  return [name, times(way), ratio(way.ratio, way.ratioSpread), ...cells, memory(way)];
}

function inverse([low, high]: readonly [number, number]): readonly [number, number] {
  return [1 / high, 1 / low];
}

function peerRow(name: PeerName, peer: PeerResult, one: CaseResult, rounds: number): string[] {
  const { float32, float32Loop, int8 } = one.ours;
  if ("missing" in peer) {
    const least = ({ medianMs }: Measurement) =>
      peer.slowerThanMs === undefined ? "-" : `> ${digits(peer.slowerThanMs / medianMs)}`;
    return [
      name,
      inTable(peer.missing),
      "-",
      least(float32),
      ...(float32Loop ? [least(float32Loop)] : []),
      least(int8),
      "-",
    ];
  }
  const few = peer.rounds < rounds ? `, ${peer.rounds} ${peer.rounds === 1 ? "round" : "rounds"} only` : "";
  return [
    `${name}${few}`,
    times(peer),
    ratio(one.ratios[name]!, one.ratioSpread[name]!),
    ...(float32Loop ? [ratio(one.loopRatios![name]!, one.loopRatioSpread![name]!)] : []),
    ratio(one.int8Ratios[name]!, one.int8RatioSpread[name]!),
    memory(peer),
  ];
}

function ratio(median: number, [low, high]: readonly [number, number]): string {
  return `**${digits(median)}** (${digits(low)} - ${digits(high)})`;
}

function times({ medianMs, lowMs, highMs, stepsPerSecond }: Measurement): string {
  return `${digits(medianMs)} (${digits(lowMs)} - ${digits(highMs)}) | ${digits(stepsPerSecond)}`;
}

function memory({ peakMiB, loadedMiB }: Measurement): string {
  return `${peakMiB.toFixed(0)} (${loadedMiB.toFixed(0)})`;
}

/** Three digits, without exponent. */
function digits(number: number): string {
  return number >= 100 ? number.toFixed(0) : number.toPrecision(3);
}

/** A bar would end the cell, a line break the row. */
function inTable(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll(/\s+/g, " ");
}

/** Each side once, with the cases where it differs. */
function settings(cases: readonly CaseResult[]): string {
  const lines = new Map<string, string[]>();
  for (const one of cases) {
    const { float32, float32Loop, int8 } = one.ours;
    const ours = [
      ["Modicum", float32] as const,
      ["Modicum, in 8 bits", int8] as const,
      ...(float32Loop ? [["Modicum, in a Loop", float32Loop] as const] : []),
    ];
    const sides = [...ours, ...Object.entries(one.peers)];
    for (const [name, side] of sides) {
      if ("missing" in side) continue;
      const threads = `${side.threads} ${side.threads === 1 ? "thread" : "threads"}`;
      const line = `- ${name}: ${side.version}; ${side.settings}; ${threads}`;
      lines.set(line, [...(lines.get(line) ?? []), one.name]);
    }
  }
  return [...lines]
    .map(([line, names]) => (names.length === cases.length ? line : `${line} (${names.join(", ")})`))
    .join("\n");
}
