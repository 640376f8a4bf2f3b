/** `run.json`: what a run is, written once when it begins. */
import { join } from "node:path";
import { z } from "zod";
import { DataError } from "../../errors.ts";
import { recipeSchema } from "../../fit/index.ts";
import { readText } from "../read-file.ts";

const schema = z.object({
  /** Version of the folder's layout. */
  version: z.literal(1),
  /** Complete: every default filled in. */
  recipe: recipeSchema,
  /** Version of Modicum. */
  modicum: z.string(),
  /** What computes, such as "onnxruntime-node 1.30.0". */
  onnxruntime: z.string(),
  /** Version of Node. */
  node: z.string(),
  /** Commit of the checkout the run was started from, where there is one. */
  commit: z.string().optional(),
  seed: z.number(),
  /** SHA-256 of the data: `TrainingData.fingerprint`. */
  dataFingerprint: z.string(),
  /** The data in a few words, for people. */
  dataDescription: z.string(),
  /** Names of the classes, where they have names. */
  classNames: z.array(z.string()).optional(),
  /** What the network knows of the data, so that it is exported without them. */
  network: z
    .object({
      kind: z.enum(["pictures", "features", "tokens"]),
      classes: z.number(),
      sampleShape: z.array(z.number()),
      dtype: z.enum(["uint8", "float32", "int64"]),
      normalization: z.object({ scale: z.number(), mean: z.array(z.number()), std: z.array(z.number()) }).optional(),
    })
    .optional(),
  /** Where it runs: "cpu", "wasm", "webgpu", "cuda". */
  device: z.string(),
  /** ISO 8601; for people only. */
  created: z.string(),
});

/** What a run is: the content of `run.json`. */
export type RunDescription = Readonly<z.output<typeof schema>>;

/** Name of the file within the run's folder. */
export const RUN_FILE = "run.json";

/** Reads a run's description. @throws DataError if it is damaged or of another version. FileError if it cannot be read. */
export async function readRunDescription(folder: string): Promise<RunDescription> {
  const path = join(folder, RUN_FILE);
  const text = await readText(path);
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw new DataError(`${path}: must be JSON, got: ${(cause as Error).message}.`, { cause });
  }
  const version = (content as { version?: unknown } | null)?.version;
  if (typeof version === "number" && version > 1) {
    throw new DataError(`${path}: must be of version 1, got ${version}. Use the version of Modicum that wrote it.`);
  }
  const { data, error } = schema.safeParse(content);
  if (error) {
    const [issue] = error.issues;
    throw new DataError(
      `${path}: must describe a run, got a problem at "${issue!.path.join(".")}": ${issue!.message}.`,
    );
  }
  return data;
}
