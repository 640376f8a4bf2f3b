/** Arrays in .npy files of one folder. */
import { join } from "node:path";
import { readNpy } from "../../data/index.ts";
import { listFolder } from "../read-file.ts";
import { ARRAYS_NEEDED, arrayParts } from "./arrays.ts";
import { DataFiles } from "./data-files.ts";
import type { DataSource } from "./data-source.ts";

/** Arrays in a folder: x.npy and y.npy, or x_train.npy, ... */
export const npy: DataSource = {
  name: "npy",
  title: "Arrays (.npy)",
  kind: "features",
  path: "folder",
  url: undefined,
  sizeBytes: undefined,
  licence: undefined,
  obtain: `A folder of .npy files, one for each array. ${ARRAYS_NEEDED}`,
  checksums: {},
  options: [],
  async read(folder) {
    const files = new DataFiles();
    const names = (await listFolder(folder)).files.filter((name) => /^[xy](_train|_test)?\.npy$/.test(name));
    const arrays = new Map();
    for (const name of names) {
      const path = join(folder, name);
      arrays.set(name.replace(".npy", ""), readNpy(await files.read(path), path));
    }
    return arrayParts(arrays, folder, files);
  },
};
