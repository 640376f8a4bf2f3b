/** The result as a page of Markdown. */
import type { Measurement } from "./alternate.ts";
import type { CaseResult, PeerResult } from "./measure-case.ts";
import type { BenchResult } from "./result.ts";

const HEADER = `| side | ms per step (10 - 90 %) | steps/s | its time / ours (quartiles) | peak memory, MiB (library alone) |
| --- | ---: | ---: | ---: | ---: |`;

/** Returns the page, with the command that writes it. */
export function speedPage(result: BenchResult): string {
  const { machine, versions, threads, seed, date } = result;
  const instructions = machine.vectorInstructions.length ? ` with ${machine.vectorInstructions.join(", ")}` : "";
  return `# Speed of a training step

Forward, backward, SGD with momentum ${result.optimizer.momentum}, loss read back; float32, ${threads} ${threads === 1 ? "thread" : "threads"}. Each peer and Modicum take turns in
one run, from the same weights on the same batches; a ratio is the median over the rounds, in brackets its quartiles. The share
of the peak is the step's floating-point operations per second over those of a large matrix product, measured in alternation
with it. What each case is: \`bench/README.md\`.

\`\`\`sh
${["npm run bench", ...(result.arguments.length > 0 ? ["--", ...result.arguments] : [])].join(" ")}
\`\`\`

Written by this command on ${date}: ${machine.cores} cores of ${machine.cpu}${instructions}, ${machine.memoryGiB} GiB, ${machine.system}; Node ${versions.node},
Modicum ${versions.modicum}, seed ${seed}; load before the run ${machine.loadBefore}.

${result.cases.map(section).join("\n\n")}

## Versions and settings

${settings(result.cases)}
`;
}

function section(one: CaseResult): string {
  const ours = one.ours.float32;
  const rows = Object.entries(one.peers).map(([name, peer]) => peerRow(name, peer, one));
  const share = `${(one.peakShare * 100).toFixed(0)} %`;
  return `## ${one.name}

${one.description}; ${one.parameters.toLocaleString("en")} parameters, ${(one.stepFlops / 1e9).toPrecision(3)} GFLOP per step. Modicum: ${share} of the GEMM peak
(${one.gemmGflops.toFixed(0)} GFLOP/s), compiled in ${ours.buildMs.toFixed(0)} ms.

${HEADER}
| Modicum | ${times(ours)} | 1 | ${memory(ours)} |
${rows.join("\n")}`.trimEnd();
}

function peerRow(name: string, peer: PeerResult, one: CaseResult): string {
  if ("missing" in peer) {
    const least = peer.slowerThanMs === undefined ? "-" : `> ${digits(peer.slowerThanMs / one.ours.float32.medianMs)}`;
    return `| ${name} | ${inTable(peer.missing)} | - | ${least} | - |`;
  }
  const key = name as keyof CaseResult["ratios"];
  const [low, high] = one.ratioSpread[key]!;
  const ratio = `**${digits(one.ratios[key]!)}** (${digits(low)} - ${digits(high)})`;
  return `| ${name} | ${times(peer)} | ${ratio} | ${memory(peer)} |`;
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
    const sides = [["Modicum", one.ours.float32] as const, ...Object.entries(one.peers)];
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
