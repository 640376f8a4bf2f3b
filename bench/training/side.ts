/** The harness's half of the conversation with a side; `serve.ts` describes it. Each side is a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import type { SideArguments, SideDescription, TurnRequest } from "./serve.ts";

/** How a side's process is started; its arguments come last. */
export interface SideCommand {
  readonly command: string;
  readonly args: readonly string[];
}

/** What a side says when it is ready. */
export interface SideReady extends SideDescription {
  /** Resident memory with the library loaded, before there is a model. */
  readonly loadedMiB: number;
  /** Time to build, and compile where there is something to compile, the training step. */
  readonly buildMs: number;
}

/** What a side says after it has run some steps. */
export interface Turn {
  readonly stepMs: readonly number[];
  readonly losses: readonly number[];
  /** Highest resident memory of the process so far. */
  readonly peakMiB: number;
}

/** A side that could not do what it was asked; the message is fit for a table. */
export class SideFailure extends Error {
  /** Milliseconds it had been given, where it was too slow. */
  readonly limitMs: number | undefined;
  constructor(message: string, limitMs?: number) {
    super(message);
    this.limitMs = limitMs;
  }
}

/** How long a side may take to load its library and to build its model. */
const START_LIMIT_MS = 180_000;

/** A running side. */
export class Side {
  readonly ready: SideReady;
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  #peakMiB = 0;
  #failure: SideFailure | undefined;

  private constructor(child: ChildProcess, answers: AsyncIterator<string>, ready: SideReady) {
    this.#child = child;
    this.#answers = answers;
    this.ready = ready;
  }

  /** @throws SideFailure if the process does not get ready. */
  static async start({ command, args }: SideCommand, options: SideArguments): Promise<Side> {
    const child = spawn(command, [...args, JSON.stringify(options)], { stdio: ["pipe", "pipe", "pipe"] });
    // Warnings and greetings of libraries; what matters comes as an answer.
    child.stderr!.resume();
    // A side that has ended is noticed by its missing answer.
    child.stdin!.on("error", () => {});
    child.on("error", () => {});
    const lines: Interface = createInterface({ input: child.stdout! });
    const answers = lines[Symbol.asyncIterator]();
    const { ready } = await answer<{ ready: SideReady }>(child, answers, START_LIMIT_MS, "was not ready");
    return new Side(child, answers, ready);
  }

  /** Highest resident memory of the process so far. */
  get peakMiB(): number {
    return this.#peakMiB;
  }

  /** What `run` threw, which tells whose failure it is. */
  get failure(): SideFailure | undefined {
    return this.#failure;
  }

  /** Takes training steps. @throws SideFailure if that fails, or there is no answer within `limitMs`. */
  async run(request: TurnRequest, limitMs: number): Promise<Turn> {
    try {
      this.#child.stdin!.write(`${JSON.stringify(request)}\n`);
      const turn = await answer<Turn>(this.#child, this.#answers, limitMs, "did not take a step");
      const wrong = turn.losses.find((loss) => !Number.isFinite(loss));
      if (wrong !== undefined) throw new SideFailure(`computed the loss ${wrong}`);
      this.#peakMiB = turn.peakMiB;
      return turn;
    } catch (error) {
      if (error instanceof SideFailure) this.#failure = error;
      throw error;
    }
  }

  /** Ends the process. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }
}

async function answer<T>(
  child: ChildProcess,
  answers: AsyncIterator<string>,
  limitMs: number,
  failure: string,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), limitMs);
  });
  const line = await Promise.race([answers.next(), timeout]);
  clearTimeout(timer);
  if (line === "late") {
    child.kill("SIGKILL");
    throw new SideFailure(`${failure} within ${limitMs / 1000} s`, limitMs);
  }
  if (line.done) {
    // Output ends before the process does; a process that never was says -2 at once.
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    throw new SideFailure(`ended without an answer (${child.signalCode ?? `exit code ${child.exitCode}`})`);
  }
  const message = JSON.parse(line.value) as T | { error: string };
  if (typeof message === "object" && message !== null && "error" in message) {
    child.kill("SIGKILL");
    throw new SideFailure(message.error);
  }
  return message as T;
}
