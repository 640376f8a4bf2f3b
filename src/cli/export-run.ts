/** The work of `modicum export`. */
import { DataError, OptionError } from "../errors.ts";
import { readRun, writeFileAtomically, writeModelFile } from "../files/index.ts";
import { exportNetwork, preprocessingOf } from "../fit/index.ts";
import { averagedVariables } from "../optim/index.ts";
import type { CommandContext } from "./command.ts";
import type { ExportCommandOptions } from "./commands/export.ts";
import { importedModelOf } from "./fine-tune.ts";
import { assertWritable } from "./output-path.ts";

/** What was written. */
export interface ExportOutcome {
  /** The model first. */
  readonly written: readonly string[];
  readonly weights: "best" | "last" | "average";
  /** Of the checkpoint. */
  readonly step: number;
}

/** Writes the network of a run, and its preprocessing beside it. */
export async function exportRun(
  path: string,
  { output, weights: wanted, force = false, quiet }: ExportCommandOptions,
  { stderr }: CommandContext,
): Promise<ExportOutcome> {
  const run = await readRun(path);
  const { recipe, network } = run.description;
  if (!network) throw new DataError(`${path}: run.json must say what the network knows of the data, got nothing.`);
  if (wanted === "average" && !recipe.averaging) {
    throw new OptionError(`${path}: --weights average must be of a run with averaging in its recipe, got one without.`);
  }
  const best = wanted === undefined || wanted === "best" ? await run.bestCheckpoint() : undefined;
  const found = best ?? (wanted === "best" ? undefined : await run.latestCheckpoint());
  if (!found) {
    throw new DataError(
      `${path}: must have a checkpoint ${wanted === "best" ? "of a best evaluation " : ""}to export, got none yet.`,
    );
  }
  if (!quiet) for (const remark of found.remarks) stderr.write(`remark: ${remark}\n`);
  const preprocessing = preprocessingOf(recipe, network);
  const beside = `${output.replace(/\.onnx$/i, "")}.preprocessing.json`;
  const targets = preprocessing ? [output, beside] : [output];
  const inputs = "onnx" in recipe.model ? [recipe.model.onnx] : [];
  for (const target of targets) await assertWritable(target, { option: "--output", inputs, force });
  const variables = found.checkpoint.variables;
  const importedModel = await importedModelOf(recipe);
  const model = exportNetwork(recipe, network, wanted === "average" ? averagedVariables(variables) : variables, {
    importedModel,
  });
  await writeModelFile(output, model, { inputs });
  if (preprocessing) await writeFileAtomically(beside, `${JSON.stringify(preprocessing, null, 2)}\n`);
  return { written: targets, weights: wanted ?? (best ? "best" : "last"), step: found.checkpoint.progress.step };
}
