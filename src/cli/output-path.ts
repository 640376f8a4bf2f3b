/** Where results may be written: checked before the long work begins. */
import { randomBytes } from "node:crypto";
import type { Stats } from "node:fs";
import { open, readdir, rm, stat } from "node:fs/promises";
import { dirname, extname, join, resolve } from "node:path";
import { FileError } from "../errors.ts";
import { assertNotInput } from "../files/index.ts";

/** Returns the default name of a quantized model, beside the original: `model-w4a8.onnx`. */
export function defaultOutputPath(input: string, suffix: string): string {
  const extension = extname(input);
  return `${extension === "" ? input : input.slice(0, -extension.length)}-${suffix}${extension || ".onnx"}`;
}

/**
 * Checks that a file can be written: its folder exists and is writable, it is none of the inputs (also not through a
 * link), and it does not exist yet unless it may be replaced.
 *
 * @param path What the option named `option` says.
 * @throws OptionError if the file is one of the inputs. FileError if it exists, or cannot be written.
 */
export async function assertWritable(
  path: string,
  rules: { readonly option: string; readonly inputs: readonly string[]; readonly force: boolean },
): Promise<void> {
  const { option, inputs, force } = rules;
  await assertNotInput(path, inputs);
  const found = await statOrUndefined(path);
  if (found?.isDirectory()) throw new FileError(`${option}: must be a file, got the folder ${path}.`);
  if (found && !force) {
    throw new FileError(`${option}: the file must not exist yet, got ${path}. Use --force to replace it.`);
  }
  await assertWritableFolder(dirname(resolve(path)), option);
}

/**
 * Checks that a folder can be made or filled: it is empty unless files in it may be replaced, and it, or the folder it is
 * to be made in, is writable.
 *
 * @throws FileError if not.
 */
export async function assertFillable(
  folder: string,
  rules: { readonly option: string; readonly force: boolean },
): Promise<void> {
  const { option, force } = rules;
  const found = await statOrUndefined(folder);
  await assertWritableFolder(found ? folder : dirname(resolve(folder)), option);
  if (found && !force && (await readdir(folder)).length > 0) {
    throw new FileError(`${option}: the folder must be empty, got ${folder}. Use --force to replace files in it.`);
  }
}

async function assertWritableFolder(folder: string, option: string): Promise<void> {
  const found = await statOrUndefined(folder);
  if (!found) throw new FileError(`${option}: the folder must exist, got ${folder}. Make it first.`);
  if (!found.isDirectory()) throw new FileError(`${option}: must be in a folder, got ${folder}, which is a file.`);
  // Permissions do not tell the truth for root, full quotas and read-only disks: trying does.
  const probe = join(folder, `.modicum-${randomBytes(6).toString("hex")}.tmp`);
  try {
    await (await open(probe, "wx")).close();
    await rm(probe);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new FileError(`${option}: the folder must be writable, got ${folder} (${code}).`, { cause });
  }
}

async function statOrUndefined(path: string): Promise<Stats | undefined> {
  return stat(path).catch(() => undefined);
}
