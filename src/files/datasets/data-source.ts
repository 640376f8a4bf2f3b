/** The contract of a kind of training data: what it is, where it comes from, and how it is read. */
import type { Dataset, Normalization, TrainingData } from "../../data/index.ts";
import type { Checksum, DataFile } from "./data-files.ts";

/** Options that only some kinds of data have. */
export interface DataSourceOptions {
  /** Side in pixels that pictures are resized to. */
  readonly size?: number | undefined;
  /** Tokens of a sample of text. */
  readonly length?: number | undefined;
  /** Whether pictures that cannot be read are left out. */
  readonly skipUnreadable?: boolean | undefined;
}

/** What a kind of data reads at a path, before anything is taken from it. */
export interface DataParts {
  readonly kind: TrainingData["kind"];
  readonly train: Dataset;
  readonly validation?: Dataset | undefined;
  readonly test: Dataset | undefined;
  readonly classes: number;
  readonly classNames: readonly string[] | undefined;
  readonly sampleShape: readonly number[];
  readonly dtype: TrainingData["dtype"];
  /** "standardize": mean 0 and deviation 1 over what is trained on, after this factor. */
  readonly normalization: Normalization | { readonly standardize: number } | undefined;
  readonly fingerprint: string;
  /** Files that were read whole; none for folders of pictures. */
  readonly files: readonly DataFile[];
  /** Files that were left out because they cannot be read. */
  readonly skipped?: readonly string[];
}

/** A kind of training data: one file in this folder, one entry in its index. */
export interface DataSource {
  /** What comes before the colon: "cifar10" in `cifar10:path/to/folder`. */
  readonly name: string;
  readonly title: string;
  readonly kind: TrainingData["kind"];
  /** What the path is: "folder", or "file"; undefined when there is none to give. */
  readonly path: string | undefined;
  /** Where it is officially had; undefined for formats, which hold the user's own data. */
  readonly url: string | undefined;
  /** Size of the official files, bytes. */
  readonly sizeBytes: number | undefined;
  readonly licence: string | undefined;
  /** How to get it, or what the files must look like. */
  readonly obtain: string;
  /** Checksums of official files, by name. */
  readonly checksums: Readonly<Record<string, Checksum>>;
  /** Options that it has. */
  readonly options: readonly (keyof DataSourceOptions)[];
  /**
   * Reads the data.
   *
   * @param check Whether files that are otherwise read as they are needed are all read and decoded now.
   * @throws DataError or FileError naming the file at fault.
   */
  read(path: string, options: DataSourceOptions & { readonly check: boolean }): Promise<DataParts>;
}
