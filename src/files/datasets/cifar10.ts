/** CIFAR-10. */
import { CIFAR_10 } from "../../data/index.ts";
import { cifarSource } from "./cifar-binary.ts";
import type { DataSource } from "./data-source.ts";

/** CIFAR-10 (Krizhevsky 2009): colour pictures of ten classes, 50,000 to train on and 10,000 to test with. */
export const cifar10: DataSource = cifarSource({
  name: "cifar10",
  title: "CIFAR-10",
  url: "https://www.cs.toronto.edu/~kriz/cifar.html",
  sizeBytes: 184_380_000,
  licence: "none stated; free for research with citation",
  obtain:
    "Unpack cifar-10-binary.tar.gz (162 MB, MD5 c32a1d4ab5d03f1284b67883e8d87530) from https://www.cs.toronto.edu/~kriz/cifar.html.",
  layout: CIFAR_10,
  archiveFolder: "cifar-10-batches-bin",
  trainFiles: [1, 2, 3, 4, 5].map((number) => `data_batch_${number}.bin`),
  testFile: "test_batch.bin",
  classFile: "batches.meta.txt",
  mean: [0.4914, 0.4822, 0.4465],
  std: [0.247, 0.2435, 0.2616],
});
