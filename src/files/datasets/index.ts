/** All kinds of training data. */
import { cifar10 } from "./cifar10.ts";
import { cifar100 } from "./cifar100.ts";
import { csv } from "./csv.ts";
import type { DataSource } from "./data-source.ts";
import { example } from "./example.ts";
import { fashionMnist } from "./fashion-mnist.ts";
import { folder } from "./folder.ts";
import { kmnist } from "./kmnist.ts";
import { mnist } from "./mnist.ts";
import { npy } from "./npy.ts";
import { npz } from "./npz.ts";
import { stl10 } from "./stl10.ts";
import { text, words } from "./text.ts";

export type { DataFile } from "./data-files.ts";
export type { DataParts, DataSource, DataSourceOptions } from "./data-source.ts";

/** Every kind of training data, in the order they are listed. */
export const dataSources: readonly DataSource[] = [
  example,
  mnist,
  fashionMnist,
  kmnist,
  cifar10,
  cifar100,
  stl10,
  folder,
  npz,
  npy,
  csv,
  text,
  words,
];
