/** What a run of the benchmark gives: the JSON object that `--json` prints. */
import { OPTIMIZER } from "./cases/case.ts";
import type { Machine } from "./machine.ts";
import type { CaseResult } from "./measure-case.ts";
import type { BenchOptions } from "./options.ts";

export interface BenchResult {
  readonly cases: readonly CaseResult[];
  readonly machine: Machine;
  readonly versions: { readonly node: string; readonly modicum: string };
  readonly threads: number;
  readonly rounds: number;
  readonly seed: number;
  readonly optimizer: typeof OPTIMIZER;
  /** The options it was called with. */
  readonly arguments: readonly string[];
  /** ISO 8601, to the day. */
  readonly date: string;
}

export function benchResult(
  cases: readonly CaseResult[],
  options: BenchOptions,
  { machine, modicum }: { readonly machine: Machine; readonly modicum: string },
): BenchResult {
  const { threads, rounds, seed } = options;
  return {
    cases,
    machine,
    versions: { node: process.versions.node, modicum },
    threads,
    rounds,
    seed,
    optimizer: OPTIMIZER,
    arguments: options.arguments,
    date: new Date().toISOString().slice(0, 10),
  };
}
