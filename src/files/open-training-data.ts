/** Data to train on, by name and path. */
import { basename } from "node:path";
import {
  type Dataset,
  limitSamples,
  nearestName,
  selectSamples,
  splitSamples,
  standardization,
  stratifiedSubset,
  type TrainingData,
  withLabelNoise,
} from "../data/index.ts";
import { DataError, OptionError } from "../errors.ts";
import { type DataParts, type DataSource, type DataSourceOptions, dataSources } from "./datasets/index.ts";

/** What is taken from the data, and how it is read. */
export interface OpenTrainingDataOptions extends DataSourceOptions {
  /**
   * Samples taken from the training part to validate with: a share below 1, or a count; of each class in proportion. Of text it
   * is the end. Default: none but what the data bring.
   */
  readonly validation?: number | undefined;
  /** Most samples to train on, of each class in proportion. Default: all. */
  readonly limit?: number | undefined;
  /** Most samples to test with, of each class in proportion. Default: all. */
  readonly testLimit?: number | undefined;
  /** Share of the labels to train on that are replaced, each by another class drawn uniformly. Default 0. */
  readonly labelNoise?: number | undefined;
  /** Whether files must be the official ones where their checksums are known, and all pictures be whole. Default false. */
  readonly verify?: boolean | undefined;
  /** Decides which samples are taken and which labels replaced. Default 0. */
  readonly seed?: number | undefined;
}

/** Data as they are on disk. */
export interface ReadDataSource {
  readonly source: DataSource;
  /** "" where there is none to give. */
  readonly path: string;
  readonly parts: DataParts;
}

/**
 * Opens data to train on: a kind of data and a path, such as "cifar10:path/to/folder"; `dataSources` lists the kinds.
 *
 * From the training part are taken, in this order: validation samples; all beyond the limit; true labels of a share. The
 * same seed takes the same. Data without a test part give a tenth to test with, the same for every seed.
 *
 * @throws OptionError if the kind is unknown, or an option does not fit it.
 * @throws DataError naming files that are missing, damaged, not the official ones (with `verify`) or out of range.
 * @example
 * const data = await openTrainingData("cifar10:path/to/folder", { validation: 0.1 });
 * for await (const { x, label } of trainingBatches(data.train, { batchSize: 128, epoch: 0 })) await training.run({ x, label });
 */
export async function openTrainingData(
  specification: string,
  options: OpenTrainingDataOptions = {},
): Promise<TrainingData> {
  const { source, parts } = await readDataSource(specification, { ...options, check: options.verify ?? false });
  if (options.verify) assertOfficial(parts, source);
  const { validation, train } = takeValidation(parts, options);
  const limited = limit(train, options.limit, options.seed);
  const { labelNoise = 0, seed = 0 } = options;
  const noisy = labelNoise === 0 ? limited : withLabelNoise(limited, labelNoise, { classes: parts.classes, seed });
  const { kind, classes, classNames, sampleShape, dtype, fingerprint } = parts;
  const { normalization: planned } = parts;
  return {
    name: source.name,
    kind,
    train: noisy,
    validation,
    test: parts.test && limit(parts.test, options.testLimit, seed),
    classes,
    classNames,
    sampleShape,
    dtype,
    normalization:
      planned && "standardize" in planned
        ? await standardization(noisy, sampleShape[0]!, planned.standardize)
        : planned,
    fingerprint,
  };
}

/**
 * Reads data as they are, with nothing taken from them: for those who want to know what is there.
 *
 * @throws What `openTrainingData` throws, but for checksums.
 */
export async function readDataSource(
  specification: string,
  options: OpenTrainingDataOptions & { readonly check: boolean },
): Promise<ReadDataSource> {
  const { source, path } = parseSpecification(specification);
  for (const option of ["size", "length", "skipUnreadable"] as const) {
    if (options[option] === undefined || options[option] === false || source.options.includes(option)) continue;
    const known = dataSources.filter((one) => one.options.includes(option)).map(({ name }) => name);
    throw new OptionError(`data: ${option} must be given for ${known.join(", ")} only, got it for ${source.name}.`);
  }
  return { source, path, parts: await source.read(path, options) };
}

function parseSpecification(specification: string): { readonly source: DataSource; readonly path: string } {
  const colon = specification.indexOf(":");
  const name = colon < 0 ? specification : specification.slice(0, colon);
  const path = colon < 0 ? "" : specification.slice(colon + 1);
  const source = dataSources.find((one) => one.name === name);
  if (source === undefined) {
    const names = dataSources.map((one) => one.name);
    const nearest = nearestName(name, names);
    const remedy = nearest
      ? `Did you mean "${nearest}"?`
      : "Write the kind before the path, such as folder:path/to/pictures.";
    throw new OptionError(`data: the kind of data must be one of ${names.join(", ")}, got "${name}". ${remedy}`);
  }
  if (source.path === undefined && path !== "") {
    throw new OptionError(`data: "${name}" comes with the package and must have no path, got "${path}".`);
  }
  if (source.path !== undefined && path === "") {
    throw new OptionError(
      `data: "${name}" must be followed by a ${source.path}, such as ${name}:path/to/it, got none. ${source.obtain}`,
    );
  }
  return { source, path };
}

function assertOfficial({ files }: DataParts, { title, obtain }: DataSource): void {
  const wrong = files.filter(({ checksum }) => checksum === "differ");
  if (wrong.length === 0) return;
  const names = wrong.map(({ path, sha256 }) => `${basename(path)} with SHA-256 ${sha256}`).join(", ");
  throw new DataError(`${wrong[0]!.path}: must be the official file of ${title}, got another (${names}). ${obtain}`);
}

function takeValidation(
  { kind, train, validation }: DataParts,
  { validation: wanted, seed = 0 }: OpenTrainingDataOptions,
): { readonly train: Dataset; readonly validation: Dataset | undefined } {
  if (wanted === undefined || wanted === 0) return { train, validation };
  if (validation !== undefined) {
    throw new OptionError(
      `data: validation must not be taken from data that bring a part of their own (${validation.count} samples), got ${wanted}.`,
    );
  }
  const count = wanted < 1 ? Math.round(wanted * train.count) : wanted;
  const part = `${train.description}, ${count} to validate`;
  if (!Number.isInteger(count) || count < 1 || count >= train.count) {
    throw new OptionError(
      `data: validation must be a share between 0 and 1, or a count below the ${train.count} samples, got ${wanted}.`,
    );
  }
  if (kind === "tokens") {
    // Windows drawn at random would lie between those that are trained on.
    const range = (from: number, to: number) => Uint32Array.from({ length: to - from }, (_, i) => from + i);
    const border = train.count - count;
    return {
      train: selectSamples(train, range(0, border)),
      validation: selectSamples(train, range(border, train.count), part),
    };
  }
  const { chosen, rest } = splitSamples(train, count, seed);
  return { train: rest, validation: { ...chosen, description: part } };
}

function limit(dataset: Dataset, most: number | undefined, seed: number | undefined): Dataset {
  return dataset.labels === undefined ? limitSamples(dataset, most, seed) : stratifiedSubset(dataset, most, seed);
}
