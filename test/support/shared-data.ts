/** The data beside the repository, for tests that check against real models; such tests skip, saying so, when it is missing. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
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

/** Reads the plain files of a tar archive (POSIX ustar): headers of 512 bytes, contents padded to such. */
function readTar(tar: Buffer): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const text = (at: number, length: number): string => tar.toString("latin1", at, at + length).replace(/\0.*$/s, "");
  for (let at = 0; at + 512 <= tar.byteLength && tar[at] !== 0; ) {
    const sizeBytes = Number.parseInt(text(at + 124, 12), 8);
    const prefix = text(at + 345, 155);
    const isFile = text(at + 156, 1) === "0";
    if (isFile)
      files.set(prefix + (prefix && "/") + text(at, 100), new Uint8Array(tar.subarray(at + 512, at + 512 + sizeBytes)));
    at += 512 + Math.ceil(sizeBytes / 512) * 512;
  }
  return files;
}

/** A folder that holds ONNX's operator cases (`node/test_.../model.onnx`), to be removed after use. */
export interface UnpackedCases {
  readonly folder: string;
  readonly names: readonly string[];
  remove(): void;
}

/** Unpacks ONNX's operator cases, which takes about half a second; undefined when they are not there. */
export function unpackOnnxNodeTests(): UnpackedCases | undefined {
  const archive = sharedData("onnx-node-tests.tar.xz");
  if (!archive) return undefined;
  const unpacked = mkdtempSync(path.join(tmpdir(), "modicum-onnx-node-tests-"));
  execFileSync("tar", ["-xJf", archive, "-C", unpacked]);
  const folder = path.join(unpacked, "node");
  return { folder, names: readdirSync(folder).sort(), remove: () => rmSync(unpacked, { recursive: true }) };
}
