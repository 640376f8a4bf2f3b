/** Arrays in one .npz file. */
import { readNpz } from "../../data/index.ts";
import { ARRAYS_NEEDED, arrayParts } from "./arrays.ts";
import { DataFiles } from "./data-files.ts";
import type { DataSource } from "./data-source.ts";

/** Arrays in one .npz file, such as Keras's mnist.npz. */
export const npz: DataSource = {
  name: "npz",
  title: "Arrays (.npz)",
  kind: "features",
  path: "file",
  url: undefined,
  sizeBytes: undefined,
  licence: undefined,
  obtain: ARRAYS_NEEDED,
  checksums: {},
  options: [],
  async read(path) {
    const files = new DataFiles();
    return arrayParts(readNpz(await files.read(path), path), path, files);
  },
};
