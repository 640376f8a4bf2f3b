/** ONNX models on disk, with the weight files beside them. */
import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { ModelInput } from "../data/index.ts";
import { FileError, ModelFormatError, OptionError } from "../errors.ts";
import { type ExternalDataSource, type ExternalFile, type ModelFile, readModel } from "../onnx/index.ts";
import type { Program } from "../program/index.ts";
import { makeFolder, type NewFile, writeFilesAtomically } from "./atomic-write.ts";
import { externalFromFolder } from "./external-folder.ts";
import { readBytes } from "./read-file.ts";

/** A model that was read from disk. */
export interface LoadedModel {
  readonly program: Program;
  /** Inputs that must be fed: those without a default value. */
  readonly inputs: readonly ModelInput[];
  /** Length of the class axis of the first output ([batch, classes], also with trailing ones); undefined if not known. */
  readonly classCount: number | undefined;
  /** The file as it is, for running it unchanged. */
  readonly file: ModelFile;
  /** Every file the model consists of. */
  readonly paths: readonly string[];
}

/** Bytes of a weight file that are read at once. */
const CHUNK_BYTES = 2 ** 26;

/**
 * Reads an ONNX model; weights outside the message are found and checked now, and read when they are needed.
 *
 * @throws FileError if the file cannot be read. ModelFormatError if it is no valid model, or its weight files are missing,
 *   too short or outside its folder. UnsupportedError if it is newer than this version knows. Messages begin with the path.
 * @example
 * const { program, file } = await readModelFile("model.onnx");
 */
export async function readModelFile(path: string): Promise<LoadedModel> {
  const bytes = await readBytes(path);
  const folder = externalFromFolder(dirname(path), path);
  const locations = new Set<string>();
  const recorded: ExternalDataSource = {
    read: (location, offset, length) => folder.read(location, offset, length),
    sizeBytes: (location) => {
      const sizeBytes = folder.sizeBytes(location);
      locations.add(location);
      return sizeBytes;
    },
  };
  const program = readModel(bytes, { external: recorded, where: path });
  const external = Array.from(locations, (location) => externalFile(location, folder));
  const paths = [path, ...external.map(({ location }) => join(dirname(path), location))];
  const inputs = program.graph.inputs.filter((input) => input.constant === undefined);
  return { program, inputs, classCount: classCountOf(program), file: { bytes, external }, paths };
}

function classCountOf(program: Program): number | undefined {
  const [, classes, ...rest] = program.graph.outputs[0]?.shape ?? [];
  return typeof classes === "number" && rest.every((length) => length === 1) ? classes : undefined;
}

function externalFile(location: string, folder: ExternalDataSource): ExternalFile {
  const sizeBytes = folder.sizeBytes(location);
  return {
    location,
    sizeBytes,
    *chunks() {
      for (let offset = 0; offset < sizeBytes; offset += CHUNK_BYTES) {
        yield folder.read(location, offset, Math.min(CHUNK_BYTES, sizeBytes - offset));
      }
    },
  };
}

/**
 * Writes a model and its weight files: whole or not at all, under temporary names until the last byte is on the disk.
 *
 * @param options.inputs Files that must survive, such as all `paths` of the model it was made from.
 * @throws OptionError if it would overwrite one of the inputs, or the weight file of some other model. FileError if the
 *   disk is full or the folder cannot be written to; nothing is left behind then.
 * @example
 * await writeModelFile("small.onnx", file, { inputs: loaded.paths });
 */
export async function writeModelFile(
  path: string,
  file: ModelFile,
  { inputs = [] }: { readonly inputs?: readonly string[] } = {},
): Promise<void> {
  const targets: NewFile[] = file.external.map((external) => ({
    path: weightPath(path, external.location),
    chunks: () => external.chunks(),
  }));
  const isNew = (await identityOf(path)) === undefined;
  for (const target of targets) {
    if (isNew && (await identityOf(target.path)) !== undefined) {
      throw new OptionError(
        `${path}: its weight file must not exist yet, got ${target.path}, which may belong to another model. ` +
          "Write to another folder.",
      );
    }
  }
  targets.push({ path, chunks: () => [file.bytes] });
  for (const target of targets) await assertNotInput(target.path, inputs);
  for (const folder of new Set(targets.map((target) => dirname(target.path)))) {
    if (folder !== dirname(path)) await makeFolder(folder);
  }
  await writeFilesAtomically(targets);
}

function weightPath(path: string, location: string): string {
  const folder = resolve(dirname(path));
  const target = resolve(folder, location);
  if (!target.startsWith(join(folder, "/")) || target === resolve(path)) {
    throw new ModelFormatError(
      `${path}: weight files must lie in the model's folder, got ${JSON.stringify(location)}.`,
    );
  }
  return target;
}

/**
 * Refuses to write to a file that is read from, whatever path or link leads there.
 *
 * @throws OptionError if `path` is one of `inputs`.
 */
export async function assertNotInput(path: string, inputs: readonly string[]): Promise<void> {
  const identity = await identityOf(path);
  for (const input of inputs) {
    const isSame =
      resolve(path) === resolve(input) || (identity !== undefined && identity === (await identityOf(input)));
    if (isSame) {
      throw new OptionError(
        `${path}: the output must be another file than the input, got the input. Choose another name.`,
      );
    }
  }
}

/** Device and number of a file; undefined when there is none. */
async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new FileError(`${path}: must be within reach, got ${code}.`, { cause });
  }
}
