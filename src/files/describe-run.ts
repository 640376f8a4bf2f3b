/** What is written down about a run when it begins. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { TrainingData } from "../data/index.ts";
import type { Recipe } from "../fit/index.ts";
import { MODICUM_VERSION } from "../quantize/index.ts";
import type { Runtime } from "../runtime/index.ts";
import type { RunDescription } from "./run-folder/index.ts";

/** Returns the description of a run that begins now, for `createRun`: recipe, versions, commit, data and device. */
export async function describeRun(recipe: Recipe, data: TrainingData, runtime: Runtime): Promise<RunDescription> {
  const { kind, classes, sampleShape, dtype, classNames, normalization, fingerprint, train, test } = data;
  const commit = await currentCommit();
  return {
    version: 1,
    recipe,
    modicum: MODICUM_VERSION,
    onnxruntime: runtime.description,
    node: process.version,
    ...(commit !== undefined && { commit }),
    seed: recipe.seed,
    dataFingerprint: fingerprint,
    dataDescription: `${train.description}: ${train.count} to train on${test ? `, ${test.count} to test with` : ""}`,
    ...(classNames && { classNames: [...classNames] }),
    network: {
      kind,
      classes,
      sampleShape: [...sampleShape],
      dtype: dtype as "uint8",
      ...(normalization && {
        normalization: { scale: normalization.scale, mean: [...normalization.mean], std: [...normalization.std] },
      }),
    },
    device: runtime.device,
    created: new Date().toISOString(),
  };
}

/** Commit of the checkout that runs, with a mark if files differ from it; undefined for the published package. */
async function currentCommit(): Promise<string | undefined> {
  const cwd = fileURLToPath(new URL("../..", import.meta.url));
  try {
    const { stdout } = await promisify(execFile)("git", ["describe", "--always", "--dirty", "--abbrev=40"], { cwd });
    return stdout.trim();
  } catch {
    return undefined;
  }
}
