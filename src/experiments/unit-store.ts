/** Results of finished units, one JSON file each: there whole or not at all. */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FileError } from "../errors.ts";
import { makeFolder, writeFileAtomically } from "../files/index.ts";

/** What is kept of a unit. */
export interface StoredUnit {
  readonly key: string;
  readonly seconds: number;
  readonly result: unknown;
}

/** Returns what is stored of a unit, or undefined if it has not been finished. A file that is no result counts as none. */
export async function readUnit(folder: string, key: string): Promise<StoredUnit | undefined> {
  let text: string;
  try {
    text = await readFile(pathOf(folder, key), "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new FileError(`${pathOf(folder, key)}: must be readable (${(cause as Error).message}).`, { cause });
  }
  try {
    const unit = JSON.parse(text) as StoredUnit;
    return unit.key === key && typeof unit.seconds === "number" && "result" in unit ? unit : undefined;
  } catch {
    return undefined;
  }
}

/** Stores what a unit found. */
export async function writeUnit(folder: string, unit: StoredUnit): Promise<void> {
  const path = pathOf(folder, unit.key);
  await makeFolder(dirname(path));
  await writeFileAtomically(path, `${JSON.stringify(unit)}\n`);
}

function pathOf(folder: string, key: string): string {
  if (!/^[a-z0-9][a-z0-9-]*(\/[a-z0-9][a-z0-9-]*)*$/.test(key)) {
    throw new Error(`internal: a unit's key must be words of letters, digits and hyphens joined by "/", got "${key}".`);
  }
  return join(folder, ...key.split("/").slice(0, -1), `${key.split("/").at(-1)}.unit.json`);
}
