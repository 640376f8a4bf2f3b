/** `modicum quantize`: a smaller model, and the record of what was done. */
import { type Command, Option } from "commander";
import { addCommonOptions, type CommandContext, type CommonOptions, printResult } from "../command.ts";
import { addPreprocessingOptions, addRuntimeOptions, type PreprocessingOptions } from "../data-options.ts";
import { addLimitOptions, type LimitFlags } from "../limit-options.ts";
import { wholeNumber } from "../option-values.ts";
import { addMethodOptions, type MethodOptions } from "../quantize-options.ts";
import {
  addRefinementOptions,
  CALIBRATION_SAMPLES,
  REFINEMENT_SAMPLES,
  type RefinementFlags,
} from "../refinement-options.ts";
import type { RuntimeChoice } from "../runtime-choice.ts";

/** Options of the command, as commander leaves them. */
export interface QuantizeCommandOptions
  extends CommonOptions,
    PreprocessingOptions,
    RuntimeChoice,
    MethodOptions,
    RefinementFlags,
    LimitFlags {
  readonly calibrate?: string;
  readonly calibrationSamples?: number;
  /** Number of pictures. */
  readonly synthesize?: number;
  readonly output?: string;
  readonly report?: string;
  readonly folder?: string;
  readonly force?: boolean;
  readonly data?: string;
  readonly limit?: number;
}

/** Adds the command's arguments, options and action. */
export async function define(command: Command, context: CommandContext): Promise<void> {
  command
    .argument("<model>", "an .onnx file")
    .option("-o, --output <file>", "the quantized model (default: beside the model, such as model-w4a8.onnx)")
    .option("--report <file>", "an HTML page on what was done, layer by layer")
    .option("--folder <folder>", "a folder that transformers.js loads, with a model card")
    .option("--force", "replace files that exist")
    .optionsGroup("Calibration:")
    .option(
      "--calibrate <path>",
      "pictures (folder), .npy or .npz; default: none, ranges come from batch-norm statistics",
    )
    .option(
      "--calibration-samples <count>",
      `how many are used, drawn by the seed (default ${CALIBRATION_SAMPLES}; ${REFINEMENT_SAMPLES} with --optimize)`,
      wholeNumber(1),
    )
    .addOption(
      new Option(
        "--synthesize [count]",
        "instead: makes pictures from what the model's batch normalizations know of its data (default 256)",
      )
        .argParser(wholeNumber(1))
        .preset("256")
        .conflicts(["calibrate", "calibrationSamples"]),
    );
  await addMethodOptions(command);
  await addRefinementOptions(command.optionsGroup("Optimizing:"));
  addLimitOptions(command);
  addPreprocessingOptions(command);
  addRuntimeOptions(command)
    .optionsGroup("Measuring:")
    .option("--data <path>", "labelled pictures: measures accuracy and speed of both models, before and after")
    .option("--limit <count>", "samples of --data that are used, drawn by the seed", wholeNumber(1));
  addCommonOptions(command.optionsGroup("Output:"))
    .addHelpText("after", EXAMPLES)
    .action((model: string, options: QuantizeCommandOptions) => run(model, options, context));
}

const EXAMPLES = `
Examples:
  $ modicum quantize model.onnx --calibrate pictures/
  $ modicum quantize model.onnx --weights 4 --activations 8 --calibrate pictures/ --output small.onnx --report small.html
  $ modicum quantize model.onnx --weights 4 --calibrate pictures/ --optimize --budget 10m --data labelled/ --report small.html
  $ modicum quantize model.onnx --weights 4 --activations 16 --target webgpu
  $ modicum quantize model.onnx --weights 4 --synthesize --report small.html
  $ modicum quantize model.onnx --weights 4 --activations 4 --simulate --range min-max --data labelled/`;

async function run(path: string, options: QuantizeCommandOptions, context: CommandContext): Promise<void> {
  const { quantizeToFiles } = await import("../quantize-to-files.ts");
  const { quantizationRecord } = await import("../quantization-record.ts");
  const { quantizationText } = await import("../quantization-text.ts");
  const outcome = await quantizeToFiles(path, options, context);
  printResult(context, options, { json: () => quantizationRecord(outcome), text: () => quantizationText(outcome) });
}
