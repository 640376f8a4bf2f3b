/** Folders of training runs: what a run is, what happened in it, and the checkpoints it goes on from. */
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { FileError } from "../../errors.ts";
import type { Checkpoint, RunEvent } from "../../fit/index.ts";
import { makeFolder, writeFileAtomically } from "../atomic-write.ts";
import { toFileError } from "../file-errors.ts";
import { pathKind, readBytes } from "../read-file.ts";
import { AppendedFile } from "./appended-file.ts";
import { CheckpointFolder, type FoundCheckpoint } from "./checkpoint-folder.ts";
import { completeBytes, eventLine, readEvents } from "./event-log.ts";
import { RUN_FILE, type RunDescription, readRunDescription } from "./run-description.ts";
import { type LockHolder, lockHolder, type RunLock, takeLock } from "./run-lock.ts";
import { EventFiles } from "./tensorboard/event-files.ts";

/** A run that is read, whether it is running or not. */
export interface RunRecord {
  readonly path: string;
  readonly description: RunDescription;
  /** The process that is writing to the folder now; undefined when none is. */
  readonly holder: LockHolder | undefined;
  /** Reads the events so far. @throws DataError if one of them is damaged. */
  events(): Promise<RunEvent[]>;
  /**
   * Reads the newest checkpoint; undefined before the first. If it is damaged the one before is read, and a remark says so.
   *
   * @throws DataError if all of them are damaged.
   */
  latestCheckpoint(): Promise<FoundCheckpoint | undefined>;
  /** Reads the checkpoint of the best evaluation; undefined before the first. @throws DataError if it is damaged. */
  bestCheckpoint(): Promise<FoundCheckpoint | undefined>;
}

/** A run that is written. No other process writes to the folder until it is closed. */
export interface RunFolder {
  readonly path: string;
  readonly description: RunDescription;
  /**
   * Reads the newest checkpoint; undefined before the first. If it is damaged the one before is read, and a remark says so.
   *
   * @throws DataError if all of them are damaged.
   */
  latestCheckpoint(): Promise<FoundCheckpoint | undefined>;
  /** Reads the checkpoint of the best evaluation; undefined before the first. @throws DataError if it is damaged. */
  bestCheckpoint(): Promise<FoundCheckpoint | undefined>;
  /**
   * Writes a checkpoint; events so far are on the disk before it counts. The last two and the best are kept.
   *
   * @throws FileError if it cannot be written, such as on a full disk; then the one before is as it was.
   */
  saveCheckpoint(checkpoint: Checkpoint, kind: "last" | "best"): Promise<void>;
  /** Records an event. @throws FileError if it cannot be written. */
  onEvent(event: RunEvent): Promise<void>;
  /**
   * Drops what was recorded after the checkpoint of a step, and later checkpoints: the run goes on from there. Step 0 without
   * a checkpoint drops everything.
   *
   * @throws FileError if the step has no checkpoint.
   */
  rewindTo(step: number): Promise<void>;
  /** Waits until everything is on the disk, and gives the folder back. */
  close(): Promise<void>;
}

/**
 * Makes the folder of a new run.
 *
 * @param path A folder that is empty or does not exist.
 * @throws FileError if it holds something, is in use, or cannot be written.
 * @example
 * const run = await createRun("runs/first", description);
 * const { reason } = await fit(plan, { runtime, onEvent: run.onEvent, saveCheckpoint: run.saveCheckpoint });
 * await run.close();
 */
export async function createRun(path: string, description: RunDescription): Promise<RunFolder> {
  await assertEmpty(path);
  await makeFolder(path);
  return withLock(path, async (lock) => {
    await assertEmpty(path);
    await writeFileAtomically(join(path, RUN_FILE), `${JSON.stringify(description, null, 2)}\n`);
    return openFolder(path, description, lock);
  });
}

/**
 * Opens the folder of a run to go on with it.
 *
 * @throws FileError if it is no run or in use. DataError if `run.json` is damaged.
 * @example
 * const run = await openRun("runs/first");
 * const found = await run.latestCheckpoint();
 * await run.rewindTo(found?.checkpoint.progress.step ?? 0);
 * const { reason } = await fit(plan, { runtime, ...run, ...(found && { resume: found.checkpoint }) });
 * await run.close();
 */
export async function openRun(path: string): Promise<RunFolder> {
  await assertRun(path);
  return withLock(path, async (lock) => openFolder(path, await readRunDescription(path), lock));
}

/** Reads a run without taking its lock. @throws FileError if it is no run. DataError if `run.json` is damaged. */
export async function readRun(path: string): Promise<RunRecord> {
  await assertRun(path);
  const checkpoints = new CheckpointFolder(join(path, "checkpoints"));
  return {
    path,
    description: await readRunDescription(path),
    holder: await lockHolder(path),
    events: () => readEvents(join(path, EVENTS_FILE)),
    latestCheckpoint: () => checkpoints.newest(),
    bestCheckpoint: () => checkpoints.best(),
  };
}

/** Returns whether a folder is that of a run. */
export async function isRun(path: string): Promise<boolean> {
  return (await pathKind(join(path, RUN_FILE))) === "file";
}

const EVENTS_FILE = "events.jsonl";

/** What a run leaves in a folder before `run.json` is there: nothing is lost with it. */
const BEFORE_RUN = /^(lock(-takeover)*(\.[0-9a-f]+\.tmp)?|\.run\.json\.[0-9a-f]+\.tmp)$/;

async function openFolder(path: string, description: RunDescription, lock: RunLock): Promise<RunFolder> {
  const log = await openLog(join(path, EVENTS_FILE));
  const checkpoints = new CheckpointFolder(join(path, "checkpoints"));
  const tensorBoard = new EventFiles(join(path, "tensorboard"));
  const flush = async (): Promise<void> => {
    await log.flush();
    await tensorBoard.flush();
  };
  return {
    path,
    description,
    async latestCheckpoint() {
      const found = await checkpoints.newest();
      if (found === undefined) return undefined;
      const { eventsBytes } = await checkpoints.record(found.checkpoint.progress.step);
      if (eventsBytes <= log.sizeBytes) return found;
      const remark = `${log.path}: must hold the ${eventsBytes} bytes it had at the checkpoint, got ${log.sizeBytes}. Some of what happened before is not on record.`;
      return { ...found, remarks: [...found.remarks, remark] };
    },
    bestCheckpoint: () => checkpoints.best(),
    async saveCheckpoint(checkpoint, kind) {
      await flush();
      await checkpoints.save(checkpoint, kind, log.sizeBytes);
    },
    async onEvent(event) {
      await log.append(eventLine(event));
      await tensorBoard.append(event);
    },
    async rewindTo(step) {
      const known = (await checkpoints.steps()).includes(step);
      if (!known && step > 0) {
        throw new FileError(`${path}: a run goes on from a checkpoint, got step ${step}, which has none.`);
      }
      const eventsBytes = known ? (await checkpoints.record(step)).eventsBytes : 0;
      await checkpoints.dropAfter(known ? step : -1);
      await log.cut(eventsBytes);
      await log.flush();
      // Of the events at the checkpoint's step some may be kept and some not: TensorBoard forgets them all, and gets the former.
      tensorBoard.forgetFrom(step);
      for (const event of await readEvents(log.path)) if (event.step >= step) await tensorBoard.append(event);
    },
    async close() {
      try {
        await flush();
      } finally {
        await log.close();
        await tensorBoard.close();
        await lock.release();
      }
    },
  };
}

/** Opens the log without a last line that was cut off by the end of the process. */
async function openLog(path: string): Promise<AppendedFile> {
  const log = await AppendedFile.open(path);
  if (log.sizeBytes > 0) await log.cut(completeBytes(await readBytes(path)));
  return log;
}

async function withLock<T>(path: string, work: (lock: RunLock) => Promise<T>): Promise<T> {
  const lock = await takeLock(path);
  try {
    return await work(lock);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function assertRun(path: string): Promise<void> {
  if (await isRun(path)) return;
  const kind = await pathKind(path);
  const found = kind === undefined ? "nothing there" : kind === "file" ? "a file" : `a folder without ${RUN_FILE}`;
  throw new FileError(`${path}: must be the folder of a run, got ${found}.`);
}

async function assertEmpty(path: string): Promise<void> {
  const kind = await pathKind(path);
  if (kind === undefined) return;
  if (kind === "file") throw new FileError(`${path}: must be a folder to fill, got a file.`);
  if (await isRun(path)) {
    throw new FileError(
      `${path}: the folder of a new run must be empty, got one with a run in it. Resume that run, or choose another folder.`,
    );
  }
  const names = await readdir(path).catch((cause: unknown) => {
    throw toFileError(path, "readable", cause);
  });
  const [foreign] = names.filter((name) => !BEFORE_RUN.test(name)).sort();
  if (foreign !== undefined) {
    throw new FileError(
      `${path}: the folder of a new run must be empty, got ${resolve(path, foreign)} in it. Choose another folder.`,
    );
  }
}
