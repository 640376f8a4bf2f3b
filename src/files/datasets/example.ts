/** The pictures that come with Modicum. */
import { fileURLToPath } from "node:url";
import { type Dataset, datasetFromArrays, readIdx } from "../../data/index.ts";
import { Tensor } from "../../tensor/index.ts";
import { DataFiles, findFiles } from "./data-files.ts";
import type { DataSource } from "./data-source.ts";
import { FASHION_CLASSES, FASHION_STATISTICS } from "./fashion-mnist.ts";

const FOLDER = fileURLToPath(new URL("../../../examples/fashion-mnist", import.meta.url));
const FILES = [
  "t10k-images-idx3-ubyte.gz",
  "t10k-labels-idx1-ubyte.gz",
  "train-images-idx3-ubyte.gz",
  "train-labels-idx1-ubyte.gz",
];
const OBTAIN = "It comes with the package; install it again.";

/**
 * 600 pictures of Fashion-MNIST that come with Modicum: enough to see that everything works, not to learn much. The 500 of
 * its test part are trained on and the 100 of its training part tested with; there are more of the former in the package.
 */
export const example: DataSource = {
  name: "example",
  title: "Example",
  kind: "pictures",
  path: undefined,
  url: "https://github.com/zalandoresearch/fashion-mnist",
  sizeBytes: 264_681,
  licence: "MIT",
  obtain: OBTAIN,
  checksums: {},
  options: [],
  async read() {
    const paths = await findFiles(
      FOLDER,
      FILES.map((name) => [name]),
      { obtain: OBTAIN },
    );
    const files = new DataFiles();
    const arrays: Tensor[] = [];
    for (const path of paths) arrays.push(readIdx(await files.read(path), path));
    const open = (part: string, pictures: Tensor, labels: Tensor): Dataset => {
      const [count] = pictures.shape;
      const x = new Tensor("uint8", [count!, 1, 28, 28], pictures.data);
      const description = `example (Fashion-MNIST, ${part} part)`;
      const classes = { labels: Int32Array.from(labels.data as Uint8Array), classNames: FASHION_CLASSES };
      return datasetFromArrays(new Map([["x", x]]), { description, ...classes });
    };
    return {
      kind: "pictures",
      train: open("training", arrays[0]!, arrays[1]!),
      test: open("test", arrays[2]!, arrays[3]!),
      classes: 10,
      classNames: FASHION_CLASSES,
      sampleShape: [1, 28, 28],
      dtype: "uint8",
      normalization: { scale: 1 / 255, mean: [FASHION_STATISTICS.mean], std: [FASHION_STATISTICS.std] },
      fingerprint: files.fingerprint,
      files: files.files,
    };
  },
};
