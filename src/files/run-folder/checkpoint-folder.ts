/** The checkpoints of a run on disk: written whole or not at all, checked when they are read. */
import { createHash } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { readSafetensors, writeSafetensors } from "../../data/index.ts";
import { DataError, ModicumError } from "../../errors.ts";
import type { Checkpoint } from "../../fit/index.ts";
import { makeFolder, writeFileAtomically, writeFilesAtomically } from "../atomic-write.ts";
import { toFileError } from "../file-errors.ts";
import { fileSize, pathKind, readBytes, readText } from "../read-file.ts";
import { type CheckpointRecord, parseCheckpointRecord } from "./checkpoint-record.ts";

/** A checkpoint that was read, and what is to be said about how it was found. */
export interface FoundCheckpoint {
  readonly checkpoint: Checkpoint;
  /** One sentence for each newer checkpoint that could not be used. */
  readonly remarks: readonly string[];
}

/** How many checkpoints are kept besides the best: the newest, and one to fall back to. */
const KEPT = 2;

const BEST_FILE = "best.json";

/** Checkpoints in a folder: `step-00001200.safetensors` with the variables and `step-00001200.json` with the rest. */
export class CheckpointFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * Returns the newest checkpoint that is undamaged; undefined when there is none at all.
   *
   * @throws DataError if there are some and all are damaged.
   */
  async newest(): Promise<FoundCheckpoint | undefined> {
    const remarks: string[] = [];
    for (const step of await this.steps()) {
      try {
        return { checkpoint: await this.read(step), remarks };
      } catch (error) {
        if (!(error instanceof ModicumError)) throw error;
        remarks.push(`${error.message} The checkpoint before is used.`);
      }
    }
    if (remarks.length === 0) return undefined;
    throw new DataError(
      `${this.path}: one checkpoint at least must be undamaged, got ${remarks.length} damaged. ${remarks.map((remark) => remark.replace(" The checkpoint before is used.", "")).join(" ")} Start a new run.`,
    );
  }

  /** Returns the checkpoint of the best evaluation; undefined before the first. @throws DataError if it is damaged. */
  async best(): Promise<FoundCheckpoint | undefined> {
    const step = await this.bestStep();
    return step === undefined ? undefined : { checkpoint: await this.read(step), remarks: [] };
  }

  /** Returns the step of the best checkpoint. A save that was cut off between the checkpoint and `best.json` counts. */
  async bestStep(): Promise<number | undefined> {
    const path = join(this.path, BEST_FILE);
    const steps = await this.steps();
    let named: number | undefined;
    if ((await pathKind(path)) !== undefined) {
      const found = parseStep(await readText(path));
      if (found === undefined) throw new DataError(`${path}: must hold {"step": number}. It is damaged: remove it.`);
      if (steps.includes(found)) named = found;
    }
    for (const step of steps) {
      if (named !== undefined && step <= named) break;
      const record = await this.record(step).catch(() => undefined);
      if (record?.kind === "best") return step;
    }
    return named;
  }

  /** Returns the steps that have a checkpoint, newest first, undamaged or not. */
  async steps(): Promise<number[]> {
    return (await this.#names())
      .flatMap((name) => (/^step-\d+\.json$/.test(name) ? [stepOf(name)] : []))
      .sort((a, b) => b - a);
  }

  /** Reads the JSON file of a checkpoint. @throws DataError if it is damaged. FileError if it cannot be read. */
  async record(step: number): Promise<CheckpointRecord> {
    const path = this.#file(step, "json");
    return parseCheckpointRecord(await readText(path), path);
  }

  /** Reads a checkpoint. @throws DataError if it is damaged. FileError if it cannot be read. */
  async read(step: number): Promise<Checkpoint> {
    const { progress, sha256 } = await this.record(step);
    const path = this.#file(step, "safetensors");
    const bytes = await readBytes(path);
    const found = hashOf(bytes);
    if (found !== sha256) {
      throw new DataError(
        `${path}: must have the SHA-256 ${sha256.slice(0, 12)}… that its checkpoint names, got ${found.slice(0, 12)}…. The file is damaged or truncated.`,
      );
    }
    return { progress, variables: readSafetensors(bytes, path).tensors };
  }

  /**
   * Writes a checkpoint, then removes those that are no longer kept. Whatever goes wrong, the checkpoint before stays.
   *
   * @throws FileError if it cannot be written, such as on a full disk.
   */
  async save(checkpoint: Checkpoint, kind: "last" | "best", eventsBytes: number): Promise<void> {
    await makeFolder(this.path);
    const { progress, variables } = checkpoint;
    const { step } = progress;
    const bytes = writeSafetensors(variables);
    const record: CheckpointRecord = { version: 1, kind, progress, sha256: hashOf(bytes), eventsBytes };
    const json = new TextEncoder().encode(`${JSON.stringify(record, null, 2)}\n`);
    const paths = { variables: this.#file(step, "safetensors"), record: this.#file(step, "json") };
    if (await this.#holds(step, record.sha256, bytes.length)) {
      await writeFileAtomically(paths.record, json);
    } else {
      // New variables beside an old record would be a damaged checkpoint.
      await this.#remove(paths.record);
      await writeFilesAtomically([
        { path: paths.variables, chunks: () => [bytes] },
        { path: paths.record, chunks: () => [json] },
      ]);
    }
    if (kind === "best") await this.#nameBest(step);
    await this.#prune();
  }

  /** Removes the checkpoints after a step, and what an interrupted save has left. */
  async dropAfter(step: number): Promise<void> {
    const best = await this.bestStep();
    if (best !== undefined && best > step) await this.#remove(join(this.path, BEST_FILE));
    for (const later of await this.steps()) if (later > step) await this.#remove(this.#file(later, "json"));
    const kept = await this.bestStep();
    if (kept !== undefined) await this.#nameBest(kept);
    await this.#removeStray(new Set(await this.steps()));
  }

  async #holds(step: number, sha256: string, sizeBytes: number): Promise<boolean> {
    if (!(await this.steps()).includes(step)) return false;
    const record = await this.record(step).catch(() => undefined);
    const size = await fileSize(this.#file(step, "safetensors")).catch(() => undefined);
    return record?.sha256 === sha256 && size === sizeBytes;
  }

  async #nameBest(step: number): Promise<void> {
    await writeFileAtomically(join(this.path, BEST_FILE), `${JSON.stringify({ step })}\n`);
  }

  async #prune(): Promise<void> {
    const steps = await this.steps();
    const best = await this.bestStep();
    const kept = new Set([...steps.slice(0, KEPT), ...(best === undefined ? [] : [best])]);
    for (const step of steps) if (!kept.has(step)) await this.#remove(this.#file(step, "json"));
    await this.#removeStray(kept);
  }

  /** Variables without a record, and files under temporary names. Only the holder of the run's lock writes here. */
  async #removeStray(steps: ReadonlySet<number>): Promise<void> {
    for (const name of await this.#names()) {
      const isStray = /^step-\d+\.safetensors$/.test(name) ? !steps.has(stepOf(name)) : /^\..*\.tmp$/.test(name);
      if (isStray) await this.#remove(join(this.path, name));
    }
  }

  async #names(): Promise<string[]> {
    if ((await pathKind(this.path)) !== "folder") return [];
    try {
      return await readdir(this.path);
    } catch (cause) {
      throw toFileError(this.path, "readable", cause);
    }
  }

  async #remove(path: string): Promise<void> {
    try {
      await rm(path, { force: true });
    } catch (cause) {
      throw toFileError(path, "writable", cause);
    }
  }

  #file(step: number, ending: "json" | "safetensors"): string {
    return join(this.path, `step-${String(step).padStart(8, "0")}.${ending}`);
  }
}

function stepOf(name: string): number {
  return Number(/\d+/.exec(name)?.[0]);
}

function parseStep(text: string): number | undefined {
  try {
    const { step } = JSON.parse(text) as { step?: unknown };
    return Number.isSafeInteger(step) ? (step as number) : undefined;
  } catch {
    return undefined;
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
