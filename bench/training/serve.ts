/**
 * The child's half of the conversation with the harness (`side.ts`): JSON lines on standard input and output.
 *
 *     -> (arguments)                      <- {"ready": {"version": "...", "threads": 2, ...}}
 *     -> {"steps": 10, "withinMs": 500}   <- {"stepMs": [...], "losses": [...], "peakMiB": 123}
 *     -> (end of input)                      the child ends
 *
 * The turn ends early once `withinMs` are over; it has one step at least. A side that takes several steps in one call may take
 * some more than it was asked for; each of them counts with its share of the call.
 * Anything that goes wrong is answered by {"error": "..."}. `../peers/pytorch.py` speaks the same.
 */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { type Batch, type LoadedCase, readCase } from "./case-file.ts";

/** The one argument of a child, as JSON. */
export interface SideArguments {
  /** Where `writeCase` put the case. */
  readonly folder: string;
  readonly threads: number;
  /** What the side is asked for among its own ways to do it, such as a backend or a memory layout. */
  readonly variant: string;
}

/** What the harness asks for: so many training steps, or fewer if time runs out; at least one. */
export interface TurnRequest {
  readonly steps: number;
  readonly withinMs: number;
}

/** What a side says of itself. */
export interface SideDescription {
  readonly version: string;
  /** Libraries and settings that a reader needs to judge the number. */
  readonly settings: string;
  /** Threads it really uses. */
  readonly threads: number;
}

/** A side made ready: its description, and a training step. */
export interface Trainer extends SideDescription {
  /** Takes a step and returns the loss as a number on the host. */
  step(batch: Batch, index: number): number | Promise<number>;
}

/** A side that takes steps on all batches in one call. */
export interface LoopTrainer extends SideDescription {
  /** Takes a step on each batch in order and returns the losses. */
  stepThroughAll(): Promise<readonly number[]>;
}

/** Resident memory of this process in MiB. Not `resourceUsage().maxRSS`, which on Linux begins with the parent's peak. */
function residentMiB(field: "VmHWM" | "VmRSS"): number {
  try {
    const status = readFileSync("/proc/self/status", "utf8");
    return Number(status.match(new RegExp(`${field}:\\s+(\\d+) kB`))![1]) / 1024;
  } catch {
    return field === "VmRSS" ? process.memoryUsage().rss / 2 ** 20 : process.resourceUsage().maxRSS / 1024;
  }
}

/** Answers the harness until it closes standard input. `load` gets the library into memory, `build` makes the trainer. */
export async function serve(
  build: (loaded: LoadedCase, options: SideArguments) => Promise<Trainer | LoopTrainer>,
  load: (options: SideArguments) => Promise<void> = async () => {},
): Promise<void> {
  // Libraries greet their users on standard output, which is not for them here.
  console.log = console.error;
  const answer = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`);
  try {
    const options = JSON.parse(process.argv[2]!) as SideArguments;
    await load(options);
    const loadedMiB = residentMiB("VmRSS");
    const loaded = await readCase(options.folder);
    const started = performance.now();
    const trainer = await build(loaded, options);
    const { version, settings, threads } = trainer;
    answer({ ready: { version, settings, threads, loadedMiB, buildMs: performance.now() - started } });
    let index = 0;
    for await (const line of createInterface({ input: process.stdin })) {
      const { steps, withinMs } = JSON.parse(line) as TurnRequest;
      const end = performance.now() + withinMs;
      const stepMs: number[] = [];
      const losses: number[] = [];
      while (losses.length < steps && (losses.length === 0 || performance.now() < end)) {
        const before = performance.now();
        if ("stepThroughAll" in trainer) {
          const all = await trainer.stepThroughAll();
          const eachMs = (performance.now() - before) / all.length;
          losses.push(...all);
          stepMs.push(...all.map(() => eachMs));
        } else {
          const which = index++ % loaded.batches.length;
          losses.push(await trainer.step(loaded.batches[which]!, which));
          stepMs.push(performance.now() - before);
        }
      }
      answer({ stepMs, losses, peakMiB: residentMiB("VmHWM") });
    }
    process.exit(0);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stdout.write(`${JSON.stringify({ error: message })}\n`, () => process.exit(1));
  }
}
