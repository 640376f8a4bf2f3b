/** CIFAR-100. */
import { CIFAR_100 } from "../../data/index.ts";
import { cifarSource } from "./cifar-binary.ts";
import type { DataSource } from "./data-source.ts";

/** CIFAR-100 (Krizhevsky 2009): colour pictures of a hundred (fine) classes, 50,000 to train on and 10,000 to test with. */
export const cifar100: DataSource = cifarSource({
  name: "cifar100",
  title: "CIFAR-100",
  url: "https://www.cs.toronto.edu/~kriz/cifar.html",
  sizeBytes: 184_440_000,
  licence: "none stated; free for research with citation",
  obtain:
    "Unpack cifar-100-binary.tar.gz (161 MB, MD5 03b5dce01913d631647c71ecec9e9cb8) from https://www.cs.toronto.edu/~kriz/cifar.html.",
  layout: CIFAR_100,
  archiveFolder: "cifar-100-binary",
  trainFiles: ["train.bin"],
  testFile: "test.bin",
  classFile: "fine_label_names.txt",
  mean: [0.5071, 0.4865, 0.4409],
  std: [0.2673, 0.2564, 0.2762],
});
