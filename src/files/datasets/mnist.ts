/** MNIST: handwritten digits. */
import type { DataSource } from "./data-source.ts";
import { mnistFamilySource } from "./mnist-family.ts";

/** MNIST (LeCun, Cortes, Burges 1998): handwritten digits, 60,000 to train on and 10,000 to test with. */
export const mnist: DataSource = mnistFamilySource({
  name: "mnist",
  title: "MNIST",
  url: "http://yann.lecun.com/exdb/mnist/",
  sizeBytes: 11_594_722,
  licence: "CC BY-SA 3.0, as usually stated",
  obtain:
    "Get the four .gz files from http://yann.lecun.com/exdb/mnist/ or https://ossci-datasets.s3.amazonaws.com/mnist/.",
  classNames: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
  mean: 0.1307,
  std: 0.3081,
  checksums: {
    "train-images-idx3-ubyte.gz": { sha256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609" },
    "train-labels-idx1-ubyte.gz": { sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c" },
    "t10k-images-idx3-ubyte.gz": { sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6" },
    "t10k-labels-idx1-ubyte.gz": { sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6" },
    "train-images-idx3-ubyte": { sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db" },
    "train-labels-idx1-ubyte": { sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5" },
    "t10k-images-idx3-ubyte": { sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7" },
    "t10k-labels-idx1-ubyte": { sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2" },
  },
});
