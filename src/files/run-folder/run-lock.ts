/** The lock of a run's folder: one process at a time writes there. */
import { randomBytes } from "node:crypto";
import { link, open, readFile, rename, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { FileError } from "../../errors.ts";
import { toFileError } from "../file-errors.ts";

/** Who holds a lock. */
export interface LockHolder {
  readonly pid: number;
  readonly host: string;
  /** When the process began, in the system's own words; tells it from a later one with the same number. Not known everywhere. */
  readonly started?: string;
}

/** A lock that is held. */
export interface RunLock {
  /** Gives the lock back. */
  release(): Promise<void>;
}

const LOCK_FILE = "lock";

/**
 * Takes the lock of a folder. A lock whose holder is no longer running, and one that is not readable because the machine
 * went down, is taken over.
 *
 * @throws FileError if another run holds it, or if it cannot be written.
 */
export async function takeLock(folder: string): Promise<RunLock> {
  return takeLockFile(join(folder, LOCK_FILE), folder);
}

async function takeLockFile(path: string, folder: string): Promise<RunLock> {
  const content = JSON.stringify({ pid: process.pid, host: hostname(), started: await processStart(process.pid) });
  // A link to a whole file appears at once and never replaces: nobody sees a lock without its holder.
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await writeDurably(temporary, content);
    while (!(await linkNew(temporary, path))) {
      const found = await readOrUndefined(path);
      if (found === undefined) continue;
      const holder = parseHolder(found);
      if (holder && (await isRunning(holder))) throw heldError(folder, path, holder);
      if (await replaceDeadLock(temporary, path, { dead: found, folder })) break;
    }
  } catch (cause) {
    throw toFileError(path, "writable", cause);
  } finally {
    await rm(temporary, { force: true });
  }
  return {
    async release() {
      if ((await readOrUndefined(path)) === content) await rm(path, { force: true });
    },
  };
}

/**
 * Several processes may find the same dead lock: they need a second lock to replace it, so that none removes the lock that
 * another one has just taken. The second lock may be dead too, and is taken over the same way.
 */
async function replaceDeadLock(
  temporary: string,
  path: string,
  { dead, folder }: { readonly dead: string; readonly folder: string },
): Promise<boolean> {
  const takeover = await takeLockFile(`${path}-takeover`, folder);
  try {
    if ((await readOrUndefined(path)) !== dead) return false;
    await rename(temporary, path);
    return true;
  } finally {
    await takeover.release();
  }
}

/** Returns who is writing to a folder now; undefined when nobody is. On another machine a holder counts as running. */
export async function lockHolder(folder: string): Promise<LockHolder | undefined> {
  const content = await readOrUndefined(join(folder, LOCK_FILE));
  const holder = content === undefined ? undefined : parseHolder(content);
  return holder && (await isRunning(holder)) ? holder : undefined;
}

function heldError(folder: string, path: string, { pid, host }: LockHolder): FileError {
  const [where, remedy] =
    host === hostname()
      ? ["", "Wait for it, stop it, or choose another folder."]
      : [` on ${host}`, `Whether it still runs cannot be told from here: if it does not, remove ${path}.`];
  return new FileError(`${folder}: must not be in use by another run, got process ${pid}${where}. ${remedy}`);
}

/** Returns whether the link could be made; false if the name is taken. */
async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw cause;
  }
}

async function writeDurably(path: string, content: string): Promise<void> {
  const file = await open(path, "wx");
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

function parseHolder(content: string): LockHolder | undefined {
  try {
    const holder = JSON.parse(content) as Partial<LockHolder> | null;
    return Number.isSafeInteger(holder?.pid) && typeof holder?.host === "string" ? (holder as LockHolder) : undefined;
  } catch {
    return undefined;
  }
}

async function isRunning({ pid, host, started }: LockHolder): Promise<boolean> {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  const now = await processStart(pid);
  return now !== "ended" && (now === undefined || started === undefined || now === started);
}

/**
 * Returns when a process began as Linux counts it, with the machine's boot; "ended" for one that has ended but is still
 * listed; undefined where that cannot be told.
 */
async function processStart(pid: number): Promise<string | undefined> {
  const [stat, boot] = await Promise.all([
    readOrUndefined(`/proc/${pid}/stat`),
    readOrUndefined("/proc/sys/kernel/random/boot_id"),
  ]);
  if (stat === undefined || boot === undefined) return undefined;
  // The second field is the name in parentheses, which may hold spaces and parentheses itself. See proc(5).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return /^[ZX]/.test(fields[0]!) ? "ended" : `${fields[19]} of ${boot.trim()}`;
}

async function readOrUndefined(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}
