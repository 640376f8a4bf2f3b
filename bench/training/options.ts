/** The command line of the benchmark. */
import { parseArgs } from "node:util";
import type { CaseName, TrainingCase } from "./cases/case.ts";
import { CASES } from "./cases/index.ts";
import { PEER_NAMES, type PeerName } from "./peers.ts";

export interface BenchOptions {
  /** As they were given. */
  readonly arguments: readonly string[];
  readonly cases: readonly TrainingCase[];
  readonly peers: readonly PeerName[];
  readonly threads: number;
  readonly rounds: number;
  /** Seconds that a peer has for its first step. */
  readonly limitSeconds: number;
  readonly seed: number;
  readonly json: boolean;
  /** Where the table is written, if anywhere. */
  readonly output: string | undefined;
  /** Files with what earlier runs printed: they become the table, and nothing is measured. */
  readonly from: readonly string[];
}

export const USAGE = `npm run bench -- [options]

  --only <names>    cases, separated by commas: ${CASES.map(({ name }) => name).join(", ")} (default: all)
  --peers <names>   peers: ${PEER_NAMES.join(", ")} (default: all but pytorch-compile and pytorch-bfloat16)
  --threads <n>     1 or 2 (default 2)
  --rounds <n>      turns of each side with each peer; slow peers get fewer (default 9)
  --limit <s>       seconds that a peer has for its first step (default 240)
  --seed <n>        of weights and data (default 1)
  --json            print one JSON object on standard output, instead of the table
  --from <files>    objects that earlier runs printed with --json: makes one table of them, and measures nothing
  --output <file>   write the table there (default: docs/results/speed.md after a run of all cases and peers)
`;

export const DEFAULT_OUTPUT = "docs/results/speed.md";

/** @throws Error whose message says what is wrong with the arguments. */
export function parseOptions(args: readonly string[]): BenchOptions | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      peers: { type: "string" },
      threads: { type: "string", default: "2" },
      rounds: { type: "string", default: "9" },
      limit: { type: "string", default: "240" },
      seed: { type: "string", default: "1" },
      json: { type: "boolean", default: false },
      output: { type: "string" },
      from: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  const threads = wholeNumber("--threads", values.threads, 1, 2);
  const isFull = values.only === undefined && values.peers === undefined && values.from === undefined && threads === 2;
  const names: readonly CaseName[] = chosen(
    "--only",
    values.only,
    CASES.map(({ name }) => name),
  );
  return {
    arguments: args,
    cases: CASES.filter(({ name }) => names.includes(name)),
    peers: chosen(
      "--peers",
      values.peers,
      PEER_NAMES,
      PEER_NAMES.filter((name) => name !== "pytorch-compile" && name !== "pytorch-bfloat16"),
    ),
    threads,
    rounds: wholeNumber("--rounds", values.rounds, 1, 1000),
    limitSeconds: wholeNumber("--limit", values.limit, 1, 86_400),
    seed: wholeNumber("--seed", values.seed, 0, 2 ** 32 - 1),
    json: values.json,
    output: values.output ?? (isFull ? DEFAULT_OUTPUT : undefined),
    from: values.from === undefined ? [] : values.from.split(",").map((path) => path.trim()),
  };
}

function chosen<Name extends string>(
  flag: string,
  value: string | undefined,
  known: readonly Name[],
  usual: readonly Name[] = known,
): readonly Name[] {
  if (value === undefined) return usual;
  const names = value.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !(known as readonly string[]).includes(name));
  if (unknown !== undefined) throw new Error(`${flag}: must be among ${known.join(", ")}, got "${unknown}".`);
  return known.filter((name) => names.includes(name));
}

function wholeNumber(flag: string, value: string, least: number, most: number): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < least || number > most) {
    throw new Error(`${flag}: must be a whole number from ${least} to ${most}, got "${value}".`);
  }
  return number;
}
