/** CIFAR-10 and CIFAR-100 in their official binary version. */
import {
  CIFAR_SIDE,
  type CifarLayout,
  cifarLabel,
  cifarRecordCount,
  type Dataset,
  type Normalization,
} from "../../data/index.ts";
import { DataFiles, findFiles } from "./data-files.ts";
import type { DataSource } from "./data-source.ts";
import { sampleShapeOf, storedPictures } from "./stored-pictures.ts";

const PICTURE_BYTES = 3 * CIFAR_SIDE * CIFAR_SIDE;

/** What sets one of the two apart. */
export interface CifarMember extends Pick<DataSource, "name" | "title" | "url" | "sizeBytes" | "licence" | "obtain"> {
  readonly layout: CifarLayout;
  readonly archiveFolder: string;
  readonly trainFiles: readonly string[];
  readonly testFile: string;
  readonly classFile: string;
  /** Of the training pictures' bytes / 255. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Makes a kind of data of one of the two: 60,000 pictures of 32 x 32, decoded in memory (184 MB). */
export function cifarSource(member: CifarMember): DataSource {
  const { layout, archiveFolder, trainFiles, testFile, classFile, mean, std, ...source } = member;
  const normalization: Normalization = { scale: 1 / 255, mean, std };
  return {
    ...source,
    kind: "pictures",
    path: "folder",
    // The checksums that were published are those of the archive, not of the files in it.
    checksums: {},
    options: ["size"],
    async read(folder, { size }) {
      const sampleShape = sampleShapeOf([3, CIFAR_SIDE, CIFAR_SIDE], size);
      const names = [...trainFiles, testFile, classFile].map((name) => [name]);
      const paths = await findFiles(folder, names, { archiveFolder, obtain: source.obtain });
      const files = new DataFiles();
      const classText = new TextDecoder().decode(await files.read(paths.at(-1)!));
      const classNames = classText.split(/\r?\n/).flatMap((line) => line.trim() || []);
      const open = async (part: string, partPaths: readonly string[]): Promise<Dataset> => {
        const pictures = await readRecords(partPaths, layout, files);
        const description = `${folder} (${layout.name}, ${part} part)`;
        return storedPictures({ ...pictures, description, shape: [3, CIFAR_SIDE, CIFAR_SIDE], classNames, size });
      };
      const train = await open("training", paths.slice(0, trainFiles.length));
      const test = await open("test", [paths[trainFiles.length]!]);
      const { fingerprint } = files;
      const common = { kind: "pictures", classes: layout.classCount, classNames, sampleShape, dtype: "uint8" } as const;
      return { ...common, train, test, normalization, fingerprint, files: files.files };
    },
  };
}

async function readRecords(
  paths: readonly string[],
  layout: CifarLayout,
  files: DataFiles,
): Promise<{ readonly bytes: Uint8Array; readonly labels: Int32Array }> {
  const { recordBytes } = layout;
  const parts: { readonly bytes: Uint8Array; readonly labels: Int32Array }[] = [];
  for (const path of paths) {
    const records = await files.read(path);
    const count = cifarRecordCount(records.length, layout, path);
    const bytes = new Uint8Array(count * PICTURE_BYTES);
    const labels = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const record = records.subarray(i * recordBytes, (i + 1) * recordBytes);
      labels[i] = cifarLabel(record, layout, path);
      bytes.set(record.subarray(recordBytes - PICTURE_BYTES), i * PICTURE_BYTES);
    }
    parts.push({ bytes, labels });
  }
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.bytes.length, 0));
  const labels = new Int32Array(bytes.length / PICTURE_BYTES);
  let at = 0;
  for (const part of parts) {
    bytes.set(part.bytes, at * PICTURE_BYTES);
    labels.set(part.labels, at);
    at += part.labels.length;
  }
  return { bytes, labels };
}
