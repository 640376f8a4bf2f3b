/** NumPy's .npz format: named arrays, a zip archive of .npy files. */
import { zipSync } from "fflate";
import { DataError } from "../errors.ts";
import type { Tensor } from "../tensor/index.ts";
import { unzipFiles } from "./compressed.ts";
import { readNpy, writeNpy } from "./npy.ts";

/**
 * Reads a .npz file, packed (`savez_compressed`) or not.
 *
 * @param where Name of the file, for messages.
 * @returns Arrays by name, without the `.npy` ending.
 * @throws DataError if the archive or an array in it is damaged, or if it is empty.
 */
export function readNpz(bytes: Uint8Array, where: string): ReadonlyMap<string, Tensor> {
  const arrays = new Map<string, Tensor>();
  for (const [name, content] of Object.entries(unzipFiles(bytes, where))) {
    if (!name.endsWith(".npy")) {
      throw new DataError(`${where}: a .npz file must hold .npy arrays only, got ${JSON.stringify(name)}.`);
    }
    arrays.set(name.slice(0, -".npy".length), readNpy(content, `${where} (${name})`));
  }
  if (arrays.size === 0) throw new DataError(`${where}: a .npz file must hold arrays, got none.`);
  return arrays;
}

/**
 * Writes named arrays as an uncompressed .npz file, readable by NumPy.
 *
 * @throws DataError for element types NumPy does not have; see `writeNpy`.
 */
export function writeNpz(arrays: Iterable<readonly [string, Tensor]>): Uint8Array {
  const files = [...arrays].map(([name, tensor]) => [`${name}.npy`, writeNpy(tensor)] as const);
  return zipSync(Object.fromEntries(files), { level: 0 });
}
