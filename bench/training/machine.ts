/** What a number was measured on. */
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  /** Vector instructions that decide how fast matrix products are; empty where they cannot be told. */
  readonly vectorInstructions: readonly string[];
  /** Processes that wanted a core in the minute before the run: much above 0, and the times are not to be trusted. */
  readonly loadBefore: number;
}

const TELLING = ["avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_tile", "asimd", "sve"];

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}, ${process.arch}`,
    vectorInstructions: vectorInstructions(),
    loadBefore: Math.round(loadavg()[0]! * 10) / 10,
  };
}

function vectorInstructions(): string[] {
  try {
    const line = readFileSync("/proc/cpuinfo", "utf8").match(/^(?:flags|Features)\s*:(.*)$/m);
    const flags = new Set(line?.[1]?.trim().split(/\s+/));
    return TELLING.filter((name) => flags.has(name));
  } catch {
    return [];
  }
}
