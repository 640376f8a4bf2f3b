/** Folders of files for tests. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";

/** Contents by path. */
export type Files = Readonly<Record<string, Uint8Array | string>>;

/** Makes folders below one that is removed after the tests of a file. */
export interface TestFolders {
  /** Returns the path of a name, whether there is something or not. */
  path(name: string): string;
  /** Writes files to the folder of that name and returns its path. */
  write(name: string, files: Files): Promise<string>;
}

/** Sets up folders for the tests of a file. */
export function testFolders(): TestFolders {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "modicum-files-"));
  });
  afterAll(() => rm(root, { recursive: true }));
  return {
    path: (name) => join(root, name),
    async write(name, files) {
      const path = join(root, name);
      for (const [file, content] of Object.entries(files)) {
        await mkdir(join(path, file, ".."), { recursive: true });
        await writeFile(join(path, file), content);
      }
      return path;
    },
  };
}
