/** Finding the runs below a folder. */
import { join } from "node:path";
import { listFolder } from "../read-file.ts";
import { isRun } from "./run-folder.ts";

/** How deep below a folder runs are looked for. */
const DEPTH = 4;

/**
 * Returns the folders of runs in a folder, sorted by name: the folder itself if it is a run, else those in it and in its
 * folders, hidden ones left out.
 *
 * @throws FileError if a folder cannot be read.
 */
export async function findRuns(path: string): Promise<string[]> {
  return findBelow(path, DEPTH);
}

async function findBelow(path: string, depth: number): Promise<string[]> {
  if (await isRun(path)) return [path];
  if (depth === 0) return [];
  const { folders } = await listFolder(path);
  const found: string[] = [];
  for (const name of folders) {
    if (name !== "node_modules") found.push(...(await findBelow(join(path, name), depth - 1)));
  }
  return found;
}
