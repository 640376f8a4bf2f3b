/** `events.jsonl`: what happened in a run, one event a line. */
import { DataError } from "../../errors.ts";
import type { RunEvent } from "../../fit/index.ts";
import { pathKind, readBytes } from "../read-file.ts";

const NEWLINE = 0x0a;

/** Returns an event as a line of the log. */
export function eventLine(event: RunEvent): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(event)}\n`);
}

/**
 * Reads the events of a log; none if there is no log. A last line without an end, which a run leaves that was killed while it
 * wrote, is left out.
 *
 * @throws DataError if another line is not an event. FileError if the file cannot be read.
 */
export async function readEvents(path: string): Promise<RunEvent[]> {
  if ((await pathKind(path)) === undefined) return [];
  const bytes = await readBytes(path);
  const text = new TextDecoder().decode(bytes.subarray(0, completeBytes(bytes)));
  return text
    .split("\n")
    .slice(0, -1)
    .map((line, i) => parseEvent(line, `${path}, line ${i + 1}`));
}

/** Returns how many bytes of a log are whole lines. */
export function completeBytes(log: Uint8Array): number {
  return log.lastIndexOf(NEWLINE) + 1;
}

function parseEvent(line: string, where: string): RunEvent {
  try {
    const event = JSON.parse(line) as Partial<RunEvent> | null;
    if (typeof event?.type === "string" && [event.step, event.epoch, event.seconds, event.time].every(isNumber)) {
      return event as RunEvent;
    }
  } catch {
    // Told below.
  }
  const shown = line.length > 80 ? `${line.slice(0, 80)}…` : line;
  throw new DataError(
    `${where}: must be an event with type, step, epoch, seconds and time as JSON, got ${JSON.stringify(shown)}. Remove the line to read the others.`,
  );
}

function isNumber(value: unknown): boolean {
  return typeof value === "number";
}
