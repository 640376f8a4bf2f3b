/** Folders of pictures: labelled by labels.csv, by sub-folders, or not at all. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { imagenetWordNetIds } from "../data/index.ts";
import { DataError } from "../errors.ts";
import { isPictureName, PICTURE_ENDINGS } from "./decode-picture.ts";
import { type FolderContent, listFolder, readText } from "./read-file.ts";

/** Picture files with what is known about their classes. */
export interface PictureList {
  /** Paths, absolute or relative to the working folder. */
  readonly paths: readonly string[];
  readonly labels: Int32Array | undefined;
  readonly classNames: readonly string[] | undefined;
  /** How the labels were found, for reports. */
  readonly kind: string;
}

/**
 * Lists the pictures of a folder.
 *
 * - with a `labels.csv`: the files it names (columns file and class_index, others ignored), in the folder or in `images/`;
 * - with sub-folders of pictures: one class each; the class is the folder's name when all names are numbers, its line in
 *   `classes.txt` when there is one, its place in ImageNet when all names are WordNet ids of ImageNet's classes and the
 *   model has 1,000, otherwise its place among the sorted names;
 * - else the pictures in the folder, or in its only sub-folder `images/`, without labels.
 *
 * @param classCount Number of classes of the model, when known.
 * @throws DataError if there are no pictures, if both pictures and sub-folders of pictures are there, or naming what is
 *   wrong with labels.csv.
 */
export async function listPictures(folder: string, classCount?: number): Promise<PictureList> {
  const content = await listFolder(folder);
  if (content.files.includes("labels.csv")) return await fromLabelsFile(folder);
  const pictures = content.files.filter(isPictureName);
  if (pictures.length > 0) {
    if (content.folders.length > 0) {
      throw new DataError(
        `${folder}: must hold either pictures or sub-folders of them, got both (${pictures[0]}, ${content.folders[0]}/). ` +
          "Move one of them away.",
      );
    }
    return unlabelled(folder, pictures);
  }
  if (content.folders.length === 1 && content.folders[0] === "images") {
    const images = join(folder, "images");
    return unlabelled(images, (await listFolder(images)).files.filter(isPictureName));
  }
  if (content.folders.length > 0) return await fromSubfolders(folder, content, classCount);
  throw noPictures(folder);
}

function unlabelled(folder: string, names: readonly string[]): PictureList {
  if (names.length === 0) throw noPictures(folder);
  const paths = names.map((name) => join(folder, name));
  return { paths, labels: undefined, classNames: undefined, kind: "pictures without labels" };
}

function noPictures(folder: string): DataError {
  return new DataError(`${folder}: must hold pictures (${PICTURE_ENDINGS.join(" ")}), got none.`);
}

async function fromSubfolders(
  folder: string,
  content: FolderContent,
  classCount: number | undefined,
): Promise<PictureList> {
  const { folders } = content;
  const isNumbered = folders.every((name) => /^\d+$/.test(name));
  const listed = content.files.includes("classes.txt") ? await readClassNames(join(folder, "classes.txt")) : undefined;
  const classNames = isNumbered ? listed : (listed ?? imagenetClasses(folders, classCount) ?? folders);
  const paths: string[] = [];
  const labels: number[] = [];
  for (const name of folders) {
    const label = isNumbered ? Number(name) : classNames!.indexOf(name);
    if (label < 0) {
      throw new DataError(
        `${join(folder, name)}: every sub-folder must be a line of classes.txt, got one that is not.`,
      );
    }
    const pictures = (await listFolder(join(folder, name))).files.filter(isPictureName);
    if (pictures.length === 0) throw noPictures(join(folder, name));
    for (const picture of pictures) {
      paths.push(join(folder, name, picture));
      labels.push(label);
    }
  }
  return { paths, labels: Int32Array.from(labels), classNames, kind: "a folder for each class" };
}

/** A part of ImageNet in its usual folders: the sorted place would be the wrong class. */
function imagenetClasses(folders: readonly string[], classCount: number | undefined): readonly string[] | undefined {
  if (classCount !== 1000 || !folders.every((name) => /^n\d{8}$/.test(name))) return undefined;
  const classes = imagenetWordNetIds();
  return folders.every((name) => classes.includes(name)) ? classes : undefined;
}

/** Reads class names, one a line. @throws FileError if the file cannot be read. */
export async function readClassNames(path: string): Promise<readonly string[]> {
  const lines = (await readText(path)).split(/\r?\n/).map((line) => line.trim());
  return lines.filter((line) => line !== "");
}

interface LabelRow {
  readonly record: Readonly<Record<string, string>>;
  readonly info: { readonly lines: number };
}

async function fromLabelsFile(folder: string): Promise<PictureList> {
  const file = join(folder, "labels.csv");
  const rows = parseRows(await readText(file), file);
  if (rows.length === 0) throw new DataError(`${file}: must name pictures, got no rows.`);
  const paths: string[] = [];
  const labels: number[] = [];
  for (const { record, info } of rows) {
    const { file: name, class_index: label } = record;
    if (name === undefined || label === undefined) {
      throw new DataError(
        `${file}: must have the columns file and class_index, got ${Object.keys(record).join(", ") || "none"}.`,
      );
    }
    if (!/^\d+$/.test(label)) {
      throw new DataError(
        `${file} line ${info.lines}: class_index must be a whole number from 0, got ${JSON.stringify(label)}.`,
      );
    }
    const path = [join(folder, name), join(folder, "images", name)].find((candidate) => existsSync(candidate));
    if (name === "" || path === undefined) {
      throw new DataError(
        `${file} line ${info.lines}: ${JSON.stringify(name)} must be a file in the folder or in images/, got no such file.`,
      );
    }
    paths.push(path);
    labels.push(Number(label));
  }
  const names = join(folder, "classes.txt");
  const classNames = existsSync(names) ? await readClassNames(names) : undefined;
  return { paths, labels: Int32Array.from(labels), classNames, kind: "pictures with labels.csv" };
}

function parseRows(text: string, file: string): readonly LabelRow[] {
  try {
    return parse(text, { columns: true, bom: true, trim: true, skip_empty_lines: true, info: true }) as LabelRow[];
  } catch (cause) {
    throw new DataError(`${file}: must be a CSV file, got one that is not (${(cause as Error).message}).`, { cause });
  }
}
