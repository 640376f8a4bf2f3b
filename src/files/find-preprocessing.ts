/** Preprocessing files beside models and data. */
import { existsSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import {
  mergePreprocessing,
  PREPROCESSING_FILES,
  type PreprocessingSettings,
  readPreprocessing,
} from "../data/index.ts";
import { pathKind, readText } from "./read-file.ts";

/** Where to look; either may be left out. */
export interface PreprocessingPlaces {
  readonly modelPath?: string | undefined;
  readonly dataPath?: string | undefined;
}

/**
 * Merges what the caller states with the files beside the model and with the data, field by field, in this order:
 *
 * 1. `stated`;
 * 2. beside the model: `model.preprocessing.json` for `model.onnx`, else `preprocessing.json`, else
 *    `preprocessor_config.json` (Hugging Face's; also one folder up from `onnx/`);
 * 3. in the data folder, or beside a data file: `preprocessing.json`, else `preprocessor_config.json`.
 *
 * @throws DataError naming the file and key if one of them is not valid.
 */
export async function findPreprocessing(
  stated: PreprocessingSettings,
  { modelPath, dataPath }: PreprocessingPlaces,
): Promise<PreprocessingSettings> {
  const layers = [stated];
  if (modelPath !== undefined) layers.push(await readFirst(placesOfModel(modelPath)));
  if (dataPath !== undefined) {
    const folder = (await pathKind(dataPath)) === "folder" ? dataPath : dirname(dataPath);
    layers.push(await readFirst(PREPROCESSING_FILES.map((name) => join(folder, name))));
  }
  return mergePreprocessing(...layers);
}

function placesOfModel(modelPath: string): readonly string[] {
  const folder = dirname(modelPath);
  const stem = basename(modelPath, extname(modelPath));
  const places = [`${stem}.preprocessing.json`, ...PREPROCESSING_FILES].map((name) => join(folder, name));
  // The tree transformers.js expects: weights in onnx/, configuration above it.
  if (basename(folder) === "onnx") places.push(...PREPROCESSING_FILES.map((name) => join(folder, "..", name)));
  return places;
}

async function readFirst(places: readonly string[]): Promise<PreprocessingSettings> {
  const found = places.find((path) => existsSync(path));
  return found === undefined ? {} : readPreprocessing(await readText(found), found);
}
