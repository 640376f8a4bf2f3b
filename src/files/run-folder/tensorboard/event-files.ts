/** The event files of a run, as TensorBoard reads them. */
import { readdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { RunEvent } from "../../../fit/index.ts";
import { eventScalars } from "../../../report/index.ts";
import { makeFolder } from "../../atomic-write.ts";
import { AppendedFile } from "../appended-file.ts";
import { scalarsRecord, sessionStartRecord, versionRecord } from "./event-record.ts";

/**
 * Writes the scalars of a run's events to a new file in a folder, made at the first event that has any. Files of earlier
 * sessions stay: TensorBoard reads the files of a folder in the order of their names.
 */
export class EventFiles {
  readonly #folder: string;
  #file: AppendedFile | undefined;
  #forgottenFrom: number | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes TensorBoard forget what earlier sessions wrote at this step and later. Call before the first `append`. */
  forgetFrom(step: number): void {
    this.#forgottenFrom = step;
  }

  /** Writes the scalars of an event. @throws FileError if the file cannot be written. */
  async append(event: RunEvent): Promise<void> {
    const scalars = eventScalars(event);
    if (scalars.length === 0) return;
    this.#file ??= await this.#open(event.time);
    await this.#file.append(scalarsRecord(event, scalars));
  }

  /** Waits until everything is on the disk. */
  async flush(): Promise<void> {
    await this.#file?.flush();
  }

  /** Closes the file. */
  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #open(time: number): Promise<AppendedFile> {
    await makeFolder(this.#folder);
    const name = `events.out.tfevents.${await this.#nextNumber(time)}.${hostname().replace(/[^\w-]/g, "-") || "host"}`;
    const file = await AppendedFile.create(join(this.#folder, name));
    await file.append(versionRecord(time));
    const step = this.#forgottenFrom;
    if (step !== undefined) await file.append(sessionStartRecord({ time, step }));
    return file;
  }

  /** By convention seconds since 1970; above those of the other files even if the clock was set back, or the order is lost. */
  async #nextNumber(time: number): Promise<string> {
    const numbers = (await readdir(this.#folder)).map((name) =>
      Number(/^events\.out\.tfevents\.(\d+)/.exec(name)?.[1] ?? 0),
    );
    return String(Math.max(Math.floor(time / 1000), ...numbers.map((number) => number + 1))).padStart(10, "0");
  }
}
