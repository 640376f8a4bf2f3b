/** Models that a run starts from: read, checked, and how their pictures must be prepared. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { completePreprocessing, pictureInputOf } from "../data/index.ts";
import { DataError, UnsupportedError } from "../errors.ts";
import { dataSources, findPreprocessing, readModelFile } from "../files/index.ts";
import type { Recipe } from "../fit/index.ts";
import type { Program } from "../program/index.ts";

/**
 * Completes a recipe that trains a model from a file further with what the file decides, where the recipe does not say it: the
 * checksum, the size of pictures, and their normalization, as the preprocessing beside the model says, or by the defaults of
 * `evaluate`. Other recipes are returned as they are.
 *
 * @throws FileError, ModelFormatError if the model cannot be read. UnsupportedError if it wants its pictures in another form.
 */
export async function withModelFile(recipe: Recipe): Promise<Recipe> {
  if (!("onnx" in recipe.model)) return recipe;
  const path = resolve(recipe.model.onnx);
  const loaded = await readModelFile(path);
  const model = { ...recipe.model, onnx: path, sha256: recipe.model.sha256 ?? (await sha256Of(loaded.paths)) };
  const [input] = loaded.inputs;
  if (input === undefined || loaded.inputs.length > 1 || input.shape?.length !== 4) return { ...recipe, model };
  const preprocessing = completePreprocessing(await findPreprocessing({}, { modelPath: path }), input);
  const { layout, channels, scale, mean, std, crop, resize } = preprocessing;
  if (layout !== "nchw" || channels === "bgr") {
    throw new UnsupportedError(
      `${path}: a model that is trained further must take RGB or gray pictures [batch, channels, height, width], got ` +
        `${channels} in ${layout}.`,
    );
  }
  const each = (numbers: readonly number[]): number[] =>
    Array.from({ length: channels === "gray" ? 1 : 3 }, (_, channel) => numbers[channel] ?? numbers[0]!);
  const side = pictureInputOf(input)?.height ?? crop ?? resize;
  const source = dataSources.find(({ name }) => name === recipe.data.set.split(":")[0]);
  const takesSize = source?.options.includes("size") === true && typeof side === "number";
  const data = {
    ...recipe.data,
    normalization: recipe.data.normalization ?? { scale, mean: each(mean), std: each(std) },
    ...(takesSize && { size: recipe.data.size ?? side }),
  };
  return { ...recipe, data, model };
}

/**
 * Reads the model that a recipe starts from; undefined when it starts from nothing.
 *
 * @throws DataError if it is not the one that the run began with.
 */
export async function importedModelOf({ model }: Recipe): Promise<Program | undefined> {
  if (!("onnx" in model)) return undefined;
  const loaded = await readModelFile(model.onnx);
  if (model.sha256 !== undefined) {
    const sha256 = await sha256Of(loaded.paths);
    if (sha256 !== model.sha256) {
      throw new DataError(
        `${model.onnx}: must be the model that the run started from, with SHA-256 ${model.sha256}, got ${sha256}.`,
      );
    }
  }
  return loaded.program;
}

async function sha256Of(paths: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const path of paths) for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
