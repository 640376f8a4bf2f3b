/** `modicum export`: the network of a run as an ONNX model, with how its pictures must be prepared. */
import type { Command } from "commander";
import { Option } from "commander";
import { addCommonOptions, type CommandContext, type CommonOptions, printResult } from "../command.ts";

/** Options of the command, as commander leaves them. */
export interface ExportCommandOptions extends CommonOptions {
  readonly output: string;
  readonly weights?: "best" | "last" | "average";
  readonly force?: boolean;
}

/** Adds the command's arguments, options and action. */
export function define(command: Command, context: CommandContext): void {
  command
    .argument("<run>", "folder of a run")
    .requiredOption("-o, --output <file>", "the model, such as resnet20.onnx")
    .addOption(
      new Option(
        "--weights <which>",
        "of the best evaluation (default), of the last checkpoint, or its average",
      ).choices(["best", "last", "average"]),
    )
    .option("--force", "replace files that exist");
  addCommonOptions(command.optionsGroup("Output:"))
    .addHelpText("after", EXAMPLES)
    .action(async (run: string, options: ExportCommandOptions) => {
      const { exportRun } = await import("../export-run.ts");
      const outcome = await exportRun(run, options, context);
      printResult(context, options, {
        json: () => outcome,
        text: () => {
          const { written, weights, step } = outcome;
          return `${written.join(" and ")}: ${weights} weights, of step ${step}.`;
        },
      });
    });
}

const EXAMPLES = `
Examples:
  $ modicum export runs/first --output resnet20.onnx
  $ modicum quantize resnet20.onnx --weights 4 --calibrate data/cifar10`;
