/** Folders of pictures, one folder for each class. */
import { join, relative } from "node:path";
import { type Dataset, IMAGENET_MEAN, IMAGENET_STD } from "../../data/index.ts";
import { DataError } from "../../errors.ts";
import { listPictures, type PictureList } from "../picture-folder.ts";
import { fileSize, listFolder, pathKind } from "../read-file.ts";
import { checkPictures } from "./check-pictures.ts";
import { fingerprintOf } from "./data-files.ts";
import type { DataSource } from "./data-source.ts";
import { mapConcurrently } from "./map-concurrently.ts";
import { withTestPart } from "./own-test-part.ts";
import { pictureFiles } from "./picture-files.ts";
import { sampleShapeOf } from "./stored-pictures.ts";

/** What the folders of the parts may be called. */
const PART_NAMES = {
  train: ["train", "training"],
  validation: ["val", "valid", "validation"],
  test: ["test", "testing"],
} as const;

type Part = keyof typeof PART_NAMES;

const OBTAIN = "A folder for each class, or train/, val/ and test/ with such folders in them.";

/** Pictures in a folder for each class, decoded as they are needed and kept in memory as far as it goes. */
export const folder: DataSource = {
  name: "folder",
  title: "Folder of pictures",
  kind: "pictures",
  path: "folder",
  url: undefined,
  sizeBytes: undefined,
  licence: undefined,
  obtain: OBTAIN,
  checksums: {},
  options: ["size", "skipUnreadable"],
  async read(path, { size, skipUnreadable = false, check }) {
    if ((await pathKind(path)) !== "folder") {
      throw new DataError(`${path}: must be a folder of pictures, got something else or nothing. ${OBTAIN}`);
    }
    const lists = await listParts(path);
    const all = [...lists.values()].flatMap(({ paths }) => paths);
    const decodeAll = check || skipUnreadable;
    const { side, unreadable } = await checkPictures(all, { where: path, size, skipUnreadable, decodeAll });
    const sampleShape = sampleShapeOf([3, ...side], size);
    const { classNames } = lists.get("train")!;
    const open = (part: Part): Dataset | undefined => {
      const list = lists.get(part);
      if (!list) return undefined;
      const kept = list.paths.flatMap((one, index) => (unreadable.has(one) ? [] : index));
      return pictureFiles({
        description: part === "train" ? path : `${path} (${part} part)`,
        paths: kept.map((index) => list.paths[index]!),
        names: (one) => relative(path, one),
        labels: Int32Array.from(kept, (index) => list.labels![index]!),
        classNames,
        sampleShape,
        isResized: size !== undefined,
      });
    };
    const train = open("train")!;
    const parts = lists.has("test") ? { train, test: open("test") } : withTestPart(train);
    const sizes = await mapConcurrently(all.length, 32, (index) => fileSize(all[index]!));
    const highest = Math.max(...[...lists.values()].map(({ labels }) => labels!.reduce((a, b) => Math.max(a, b), 0)));
    return {
      kind: "pictures",
      ...parts,
      validation: open("validation"),
      classes: Math.max(classNames?.length ?? 0, highest + 1),
      classNames,
      sampleShape,
      dtype: "uint8",
      normalization: { scale: 1 / 255, mean: [...IMAGENET_MEAN], std: [...IMAGENET_STD] },
      fingerprint: fingerprintOf(all.map((one, index) => `${relative(path, one)} ${sizes[index]}`)),
      files: [],
      skipped: [...unreadable],
    };
  },
};

/** Lists the pictures of each part; all have the classes of the training part. */
async function listParts(path: string): Promise<ReadonlyMap<Part, PictureList>> {
  const { folders } = await listFolder(path);
  const found = (Object.keys(PART_NAMES) as Part[]).flatMap((part) => {
    const name = folders.find((one) => (PART_NAMES[part] as readonly string[]).includes(one.toLowerCase()));
    return name === undefined ? [] : [[part, join(path, name)] as const];
  });
  const isSplit = found[0]?.[0] === "train" && found.length === folders.length;
  const lists = new Map<Part, PictureList>();
  for (const [part, partPath] of isSplit ? found : [["train", path] as const]) {
    const list = await listPictures(partPath);
    if (list.labels === undefined) {
      throw new DataError(`${partPath}: pictures must be in a folder for each class, got pictures without. ${OBTAIN}`);
    }
    lists.set(part, part === "train" ? list : withClassesOf(lists.get("train")!, list, partPath));
  }
  return lists;
}

function withClassesOf({ classNames }: PictureList, list: PictureList, where: string): PictureList {
  if (classNames === undefined || list.classNames === undefined) return list;
  const labels = list.labels!.map((label) => classNames.indexOf(list.classNames![label]!));
  const unknown = labels.indexOf(-1);
  if (unknown >= 0) {
    const name = list.classNames[list.labels![unknown]!];
    throw new DataError(`${where}: classes must be those to train on (${classNames.join(", ")}), got "${name}".`);
  }
  return { ...list, labels, classNames };
}
