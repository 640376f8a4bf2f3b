/** Kuzushiji-MNIST: handwritten Japanese characters. */
import type { DataSource } from "./data-source.ts";
import { mnistFamilySource } from "./mnist-family.ts";

/** Kuzushiji-MNIST (Clanuwat et al. 2018, arXiv:1812.01718): ten hiragana, 60,000 to train on and 10,000 to test with. */
export const kmnist: DataSource = mnistFamilySource({
  name: "kmnist",
  title: "Kuzushiji-MNIST",
  url: "http://codh.rois.ac.jp/kmnist/",
  sizeBytes: undefined,
  licence: "CC BY-SA 4.0",
  obtain: "Get the four .gz files of Kuzushiji-MNIST in MNIST format from http://codh.rois.ac.jp/kmnist/.",
  classNames: ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"],
  mean: 0.1918,
  std: 0.3483,
  // Published as MD5 only.
  checksums: {
    "train-images-idx3-ubyte.gz": { md5: "bdb82020997e1d708af4cf47b453dcf7" },
    "train-labels-idx1-ubyte.gz": { md5: "e144d726b3acfaa3e44228e80efcd344" },
    "t10k-images-idx3-ubyte.gz": { md5: "5c965bf0a639b31b8f53240b1b52f4d7" },
    "t10k-labels-idx1-ubyte.gz": { md5: "7320c461ea6c1c855c0b718fb2a4b134" },
  },
});
