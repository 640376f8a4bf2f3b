/** `modicum rounding`: which layers of a run 8 bits hurt. */
import type { Command } from "commander";
import { addCommonOptions, type CommandContext, type CommonOptions, printResult } from "../command.ts";
import type { RecipeChange } from "../recipe-flags.ts";

/** Options of the command, as commander leaves them. */
export interface RoundingCommandOptions extends CommonOptions {
  readonly data?: string;
  readonly set?: readonly RecipeChange[];
}

/** Adds the command's arguments, options and action. */
export async function define(command: Command, context: CommandContext): Promise<void> {
  const { recipeChange } = await import("../recipe-flags.ts");
  command
    .argument("<run>", "folder of a run, in 8 bits or in float")
    .option("--data <kind:path>", "where its data are now (default: where they were)")
    .option(
      "--set <key=value>",
      "another precision than the run's, such as precision.gradients.bits=4; may be repeated",
      recipeChange,
    );
  addCommonOptions(command.optionsGroup("Output:"))
    .addHelpText("after", EXAMPLES)
    .action(async (run: string, options: RoundingCommandOptions) => {
      const { measureRounding, roundingText } = await import("../measure-rounding.ts");
      const outcome = await measureRounding(run, options);
      printResult(context, options, {
        json: () => {
          const { products: _, ...facts } = outcome;
          return facts;
        },
        text: () => roundingText(outcome),
      });
    });
}

const EXAMPLES = `
Examples:
  $ modicum rounding runs/int8
  $ modicum rounding runs/first --set precision.activations.bits=4 --set precision.activations.range=sample --json`;
