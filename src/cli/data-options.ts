/** Options about data: where samples are, and how pictures become numbers for the model. */
import { type Command, Option } from "commander";
import type { PreprocessingSettings } from "../data/index.ts";
import { FileError } from "../errors.ts";
import { numberList, type PictureSizeFlag, pictureSize, positiveNumber, wholeNumber } from "./option-values.ts";

/** What the options of `addPreprocessingOptions` leave in a command's options. */
export interface PreprocessingOptions {
  readonly preprocessing?: string;
  readonly resize?: PictureSizeFlag;
  readonly crop?: PictureSizeFlag;
  readonly interpolation?: NonNullable<PreprocessingSettings["interpolation"]>;
  readonly scale?: number;
  readonly mean?: number[];
  readonly std?: number[];
  readonly layout?: NonNullable<PreprocessingSettings["layout"]>;
  readonly channels?: NonNullable<PreprocessingSettings["channels"]>;
}

/** Adds `--preprocessing`, `--resize`, `--crop`, `--mean` and so on. */
export function addPreprocessingOptions(command: Command): Command {
  return command
    .optionsGroup("Preprocessing of pictures:")
    .option(
      "--preprocessing <file>",
      "JSON file; default: preprocessing.json or preprocessor_config.json beside data or model",
    )
    .option(
      "--resize <pixels>",
      'short side, "height,width" or "none" (default 256 for a 224-pixel model)',
      pictureSize,
    )
    .option(
      "--crop <pixels>",
      'centre crop: side, "height,width" or "none" (default: size of the model\'s input)',
      pictureSize,
    )
    .addOption(
      new Option("--interpolation <filter>", "filter for resizing (default bilinear)").choices([
        "nearest",
        "bilinear",
        "bicubic",
        "lanczos",
      ]),
    )
    .option("--scale <factor>", "multiplies bytes 0..255 (default 1/255)", positiveNumber)
    .option(
      "--mean <numbers>",
      "subtracted after scaling, one for all or one per channel (default ImageNet's)",
      numberList,
    )
    .option("--std <numbers>", "divided by after that (default ImageNet's)", numberList)
    .addOption(new Option("--layout <layout>", "order of axes (default: the model's)").choices(["nchw", "nhwc"]))
    .addOption(new Option("--channels <channels>", "(default: the model's)").choices(["rgb", "bgr", "gray"]));
}

/** Adds `--device` and `--threads`. */
export function addRuntimeOptions(command: Command): Command {
  return command
    .optionsGroup("Running:")
    .addOption(
      new Option("--device <device>", "where models run").choices(["cpu", "wasm", "webgpu", "cuda"]).default("cpu"),
    )
    .option(
      "--threads <count>",
      "threads of one model (default: one per core; wasm: half as many, at most 4)",
      wholeNumber(1, 1024),
    );
}

/**
 * Returns what the command line states about preprocessing: flags, and the file of `--preprocessing` for what they leave open.
 *
 * @throws FileError if the file cannot be read. DataError if it is not valid.
 */
export async function statedPreprocessing(options: PreprocessingOptions): Promise<PreprocessingSettings> {
  const { preprocessing: path, resize, crop, interpolation, scale, mean, std, layout, channels } = options;
  const flags: PreprocessingSettings = {
    resize: resize === "none" ? null : resize,
    crop: crop === "none" ? null : crop,
    ...{ interpolation, scale, mean, std, layout, channels },
  };
  if (path === undefined) return flags;
  const { mergePreprocessing, readPreprocessing } = await import("../data/index.ts");
  return mergePreprocessing(flags, readPreprocessing(await readText(path), path));
}

async function readText(path: string): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new FileError(`--preprocessing: ${path} must be readable, got ${(cause as NodeJS.ErrnoException).code}.`, {
      cause,
    });
  }
}
