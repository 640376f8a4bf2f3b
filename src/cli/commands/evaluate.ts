/** `modicum evaluate`: accuracy and speed of models on the same samples. */
import type { Command } from "commander";
import type { ModelEvaluation } from "../../evaluate/index.ts";
import { addCommonOptions, type CommandContext, printResult } from "../command.ts";
import { addPreprocessingOptions, addRuntimeOptions } from "../data-options.ts";
import type { EvaluationOptions } from "../evaluate-models.ts";
import { numberFromZero, wholeNumber } from "../option-values.ts";

interface EvaluateOptions extends EvaluationOptions {
  readonly report?: string;
  readonly force?: boolean;
}

/** Adds the command's arguments, options and action. */
export function define(command: Command, context: CommandContext): void {
  command
    .argument("<models...>", ".onnx files; the first is what the others are compared with")
    .requiredOption("--data <path>", "folder per class, folder with labels.csv, MNIST or CIFAR-10 folder, .npy or .npz")
    .option("--limit <count>", "samples used, drawn at random by the seed", wholeNumber(1))
    .option("--seed <number>", "of that draw (default 0)", wholeNumber(0, 2 ** 32 - 1))
    .option("--report <file>", "an HTML page with the results")
    .option("--force", "replace the report when it exists");
  addRuntimeOptions(command)
    .option("--batch <count>", "samples at once when accuracy is measured", wholeNumber(1), 16)
    .option("--timing <seconds>", "of measuring speed, for each model; 0: speed is not measured", numberFromZero, 2);
  addPreprocessingOptions(command);
  addCommonOptions(command.optionsGroup("Output:"))
    .addHelpText("after", EXAMPLES)
    .action((models: string[], options: EvaluateOptions) => evaluate(models, options, context));
}

const EXAMPLES = `
Examples:
  $ modicum evaluate model.onnx small.onnx --data pictures/
  $ modicum evaluate model.onnx --data cifar-10-batches-bin/ --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225
  $ modicum evaluate model.onnx small.onnx --data pictures/ --limit 100 --device wasm --json`;

async function evaluate(paths: readonly string[], options: EvaluateOptions, context: CommandContext): Promise<void> {
  const { evaluateModels } = await import("../../evaluate/index.ts");
  const { readSubjects, withEvaluatedModels } = await import("../evaluate-models.ts");
  const { evaluationTable } = await import("../evaluation-table.ts");
  const { report, force = false } = options;
  if (report !== undefined) {
    const { assertWritable } = await import("../output-path.ts");
    await assertWritable(report, { option: "--report", inputs: paths, force });
  }
  const subjects = await readSubjects(paths);
  await withEvaluatedModels(
    subjects,
    options,
    context,
    async ({ models, options: evaluateOptions, dataset, runtime }) => {
      const run = await evaluateModels(models, evaluateOptions);
      if (report !== undefined) await writePage(report, run.models, { data: dataset.description, runtime });
      printResult(context, options, {
        json: () => ({ models: run.models.map((model) => ({ ...model, runtime })) }),
        text: () => `${evaluationTable(run.models)}\n${dataset.description}; ${runtime}`,
      });
    },
  );
}

async function writePage(
  path: string,
  models: readonly ModelEvaluation[],
  facts: { readonly data: string; readonly runtime: string },
): Promise<void> {
  const { writeFileAtomically } = await import("../../files/index.ts");
  const { MODICUM_VERSION } = await import("../../quantize/index.ts");
  const { evaluationPage } = await import("../evaluation-page.ts");
  await writeFileAtomically(path, await evaluationPage(models, { ...facts, version: MODICUM_VERSION }));
}
