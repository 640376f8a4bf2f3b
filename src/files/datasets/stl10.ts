/** STL-10. */
import { type Dataset, readStl10Labels, readStl10Pictures, STL10_SIDE } from "../../data/index.ts";
import { DataFiles, findFiles } from "./data-files.ts";
import type { DataSource } from "./data-source.ts";
import { sampleShapeOf, storedPictures } from "./stored-pictures.ts";

const FILES = ["train_X.bin", "train_y.bin", "test_X.bin", "test_y.bin"];
const CLASS_NAMES = ["airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck"];
const OBTAIN =
  "Unpack stl10_binary.tar.gz (2.6 GB, MD5 91f7769df0f17e558f3565bffb0c7dfb) from https://cs.stanford.edu/~acoates/stl10/.";
const CHECKSUMS = {
  "train_X.bin": { md5: "918c2871b30a85fa023e0c44e0bee87f" },
  "train_y.bin": { md5: "5a34089d4802c674881badbb80307741" },
  "test_X.bin": { md5: "7f263ba9f9e0b06b93213547f721ac82" },
  "test_y.bin": { md5: "36f9794fa4beb8a2c72628de14fa638e" },
};

/**
 * STL-10 (Coates, Lee, Ng 2011): colour pictures of 96 x 96 in ten classes, 5,000 to train on and 8,000 to test with, decoded in
 * memory (359 MB; less when resized). Its 100,000 pictures without labels are not read.
 */
export const stl10: DataSource = {
  name: "stl10",
  title: "STL-10",
  kind: "pictures",
  path: "folder",
  url: "https://cs.stanford.edu/~acoates/stl10/",
  sizeBytes: 359_437_000,
  licence: "none stated; pictures are from ImageNet",
  obtain: OBTAIN,
  checksums: CHECKSUMS,
  options: ["size"],
  async read(folder, { size }) {
    const sampleShape = sampleShapeOf([3, STL10_SIDE, STL10_SIDE], size);
    const found = await findFiles(
      folder,
      FILES.map((name) => [name]),
      { archiveFolder: "stl10_binary", obtain: OBTAIN },
    );
    const [trainX, trainY, testX, testY] = found as [string, string, string, string];
    const files = new DataFiles(CHECKSUMS);
    const open = async (part: string, pictures: string, classes: string): Promise<Dataset> => {
      const bytes = await files.read(pictures);
      const count = readStl10Pictures(bytes, pictures);
      return storedPictures({
        description: `${folder} (STL-10, ${part} part)`,
        bytes,
        shape: [3, STL10_SIDE, STL10_SIDE],
        labels: readStl10Labels(await files.read(classes), count, classes),
        classNames: CLASS_NAMES,
        size,
      });
    };
    const train = await open("training", trainX, trainY);
    const test = await open("test", testX, testY);
    return {
      kind: "pictures",
      train,
      test,
      classes: CLASS_NAMES.length,
      classNames: CLASS_NAMES,
      sampleShape,
      dtype: "uint8",
      normalization: { scale: 1 / 255, mean: [0.4467, 0.4398, 0.4066], std: [0.2603, 0.2566, 0.2713] },
      fingerprint: files.fingerprint,
      files: files.files,
    };
  },
};
