/** The data beside the repository, for tests that check against real models; such tests skip, saying so, when it is missing. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const SHARED = fileURLToPath(new URL("../../../shared/", import.meta.url));

/** Returns the path of something in the shared data, or undefined, with the reason printed, when it is not there. */
export function sharedData(name: string): string | undefined {
  const found = path.join(SHARED, "data", name);
  if (existsSync(found)) return found;
  console.warn(`skipped: ${found} is not there`);
  return undefined;
}

/** Returns the paths of the shared models; none when they are not there. */
export function sharedModels(): string[] {
  const folder = sharedData("models");
  if (!folder) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".onnx"))
    .map((name) => path.join(folder, name));
}

/**
 * Returns the files of ONNX's operator cases by path (`node/test_abs/model.onnx`, `node/test_abs/test_data_set_0/input_0.pb`),
 * unpacked in memory; undefined when they are not there.
 */
export function onnxNodeTests(): Map<string, Uint8Array> | undefined {
  const archive = sharedData("onnx-node-tests.tar.xz");
  if (!archive) return undefined;
  return readTar(execFileSync("xz", ["-dc", archive], { maxBuffer: 2 ** 29 }));
}

/** Reads the plain files of a tar archive (ustar, GNU long names): headers of 512 bytes, contents padded to such. */
function readTar(tar: Buffer): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const text = (at: number, length: number): string => tar.toString("latin1", at, at + length).replace(/\0.*$/s, "");
  let longName: string | undefined;
  for (let at = 0; at + 512 <= tar.byteLength && tar[at] !== 0; ) {
    const sizeBytes = Number.parseInt(text(at + 124, 12), 8);
    const prefix = text(at + 345, 155);
    const kind = text(at + 156, 1);
    if (kind === "0") {
      const name = longName ?? prefix + (prefix && "/") + text(at, 100);
      files.set(name, new Uint8Array(tar.subarray(at + 512, at + 512 + sizeBytes)));
    }
    // GNU tar writes a name above 100 characters as the content of an entry of its own, before the file's.
    longName = kind === "L" ? text(at + 512, sizeBytes) : undefined;
    at += 512 + Math.ceil(sizeBytes / 512) * 512;
  }
  return files;
}
