/** Runs that are killed and resumed until they are done, and whether they differ from one that was left alone. */
import { fork } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readRun } from "../../src/files/index.ts";
import type { Checkpoint, RunEvent } from "../../src/fit/index.ts";
import { seededRandom } from "../../src/tensor/index.ts";
import type { PRECISIONS } from "./made-training.ts";

const CHILD = fileURLToPath(new URL("./train-child.node.ts", import.meta.url));

/** What a run that is killed is made of. */
export interface KilledRunOptions {
  readonly folder: string;
  readonly epochs: number;
  /** Default "float32". */
  readonly precision?: keyof typeof PRECISIONS;
  /** How many processes are killed before one is left to finish. */
  readonly kills: number;
  /** Of the moments to kill at. */
  readonly seed: number;
  /** Called after each kill with the number of kills so far. */
  readonly afterKill?: (kills: number) => Promise<void> | void;
}

/** One kill: what the process had told last before it was killed. */
export interface Kill {
  readonly what: string;
  readonly step: number;
}

/** Steps of a run; made-training.ts has nine in a pass. */
const STEPS_PER_EPOCH = 9;

/**
 * Trains in child processes and kills each with SIGKILL at a random moment: some while they start, the others a random number
 * of messages and a few milliseconds after they began to take steps. The one after the last kill is left to finish.
 *
 * @throws Error if a process ends before it is killed, or if the last one does not finish.
 */
export async function trainWithKills(options: KilledRunOptions): Promise<readonly Kill[]> {
  const { kills, seed, afterKill } = options;
  const random = seededRandom(seed);
  // About five messages a step; all kills together stay well within the run.
  const messages = Math.floor((4 * STEPS_PER_EPOCH * options.epochs) / (kills + 1));
  const done: Kill[] = [];
  while (done.length < kills) {
    const isEarly = random.uniform() < 0.2;
    const moment = isEarly
      ? { afterMs: 1500 * random.uniform() }
      : { afterMessages: 1 + Math.floor(messages * random.uniform()), delayMs: 12 * random.uniform() ** 2 };
    done.push(await killed(runChild(options), moment));
    await afterKill?.(done.length);
  }
  await finished(runChild(options));
  return done;
}

type Moment = { readonly afterMs: number } | { readonly afterMessages: number; readonly delayMs: number };
type Child = ReturnType<typeof fork>;

function runChild({ folder, epochs, precision = "float32" }: KilledRunOptions): Child {
  return fork(CHILD, [folder, String(epochs), precision], { execArgv: ["--import", "tsx"], silent: true });
}

function killed(child: Child, moment: Moment): Promise<Kill> {
  return new Promise((resolve, reject) => {
    let last: Kill = { what: "starting", step: -1 };
    let seen = 0;
    const output = outputOf(child);
    const kill = (): void => void child.kill("SIGKILL");
    const timer = "afterMs" in moment ? setTimeout(kill, moment.afterMs) : undefined;
    child.on("message", (message) => {
      last = message as Kill;
      if ("afterMessages" in moment && ++seen === moment.afterMessages) setTimeout(kill, moment.delayMs);
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (signal === "SIGKILL") resolve(last);
      else
        reject(
          new Error(
            `the process must live until it is killed, got exit code ${code} after "${last.what}": ${output()}`,
          ),
        );
    });
  });
}

function finished(child: Child): Promise<void> {
  return new Promise((resolve, reject) => {
    const output = outputOf(child);
    child.on("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`the last process must finish, got exit code ${code}: ${output()}`));
    });
  });
}

function outputOf(child: Child): () => string {
  const parts: string[] = [];
  child.stderr?.on("data", (part) => parts.push(String(part)));
  child.stdout?.resume();
  return () => parts.join("").slice(-2000);
}

/** Returns what two finished runs differ in, apart from times: nothing if one is as good as the other. */
export async function differences(one: string, other: string): Promise<string[]> {
  const [a, b] = await Promise.all([recorded(one), recorded(other)]);
  return [
    ...checkpointDifferences("last", a.last, b.last),
    ...checkpointDifferences("best", a.best, b.best),
    ...(a.events.length === b.events.length ? [] : [`${a.events.length} and ${b.events.length} events`]),
    ...a.events.flatMap((event, i) => (event === b.events[i] ? [] : [`event ${i}: ${event} and ${b.events[i]}`])),
  ];
}

async function recorded(folder: string) {
  const run = await readRun(folder);
  const [last, best] = [await run.latestCheckpoint(), await run.bestCheckpoint()];
  if (!last || !best) throw new Error(`${join(folder, "checkpoints")}: there must be a last and a best checkpoint`);
  return { last: last.checkpoint, best: best.checkpoint, events: (await run.events()).flatMap(computed) };
}

/** What an event says of the computation; nothing for events on how a run was cut into pieces. */
function computed(event: RunEvent): string[] {
  if (!["steps", "evaluation", "probe"].includes(event.type)) return [];
  const { time: _, seconds: __, samplesPerSecond: ___, ...rest } = event as RunEvent & { samplesPerSecond?: number };
  return [JSON.stringify(rest)];
}

function checkpointDifferences(name: string, a: Checkpoint, b: Checkpoint): string[] {
  const progress = ({ progress: { seconds: _, ...rest } }: Checkpoint): string => JSON.stringify(rest);
  const paths = new Set([...Object.keys(a.variables), ...Object.keys(b.variables)]);
  return [
    ...(progress(a) === progress(b) ? [] : [`${name} checkpoint: ${progress(a)} and ${progress(b)}`]),
    ...[...paths].flatMap((path) => {
      const [x, y] = [a.variables[path], b.variables[path]];
      return x && y && x.dtype === y.dtype && bytesOf(x.data).equals(bytesOf(y.data))
        ? []
        : [`${name} checkpoint: ${path}`];
    }),
  ];
}

function bytesOf(data: object): Buffer {
  const { buffer, byteOffset, byteLength } = data as Uint8Array<ArrayBuffer>;
  return Buffer.from(buffer, byteOffset, byteLength);
}
