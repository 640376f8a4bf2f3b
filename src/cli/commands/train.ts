/** `modicum train`: a network is trained, with checkpoints, in a folder of its own. */
import { type Command, Option } from "commander";
import { addCommonOptions, type CommandContext, type CommonOptions } from "../command.ts";
import { addRuntimeOptions } from "../data-options.ts";
import { duration, numberFromZero, positiveNumber, wholeNumber } from "../option-values.ts";
import type { RecipeFlags } from "../recipe-flags.ts";
import type { RuntimeChoice } from "../runtime-choice.ts";

/** Options of the command, as commander leaves them. */
export interface TrainOptions extends CommonOptions, RuntimeChoice, RecipeFlags {
  readonly output?: string;
  readonly resume?: string;
  readonly finetune?: string;
  readonly classes?: number;
  readonly timeBudget?: number;
  readonly checkpointEvery: number;
}

/** Adds the command's arguments, options and action. */
export async function define(command: Command, context: CommandContext): Promise<void> {
  const { recipes } = await import("../../fit/index.ts");
  const { recipeChange } = await import("../recipe-flags.ts");
  command
    .argument("[recipe]", "a recipe by name, or a .json file")
    .option("--data <kind:path>", "data to learn from, such as cifar10:path; a path alone is of the recipe's kind")
    .option("-o, --output <folder>", "folder of the run (default: the next free one in runs/)")
    .option("--resume <folder>", "go on with this run where it stopped")
    .option("--finetune <model>", "put a new head on this .onnx model, and train it further")
    .option("--classes <count>", "classes that the data must have", wholeNumber(1))
    .optionsGroup("Changes of the recipe:")
    .option("--epochs <count>", "passes over the training data", positiveNumber)
    .option("--batch <count>", "samples in a step", wholeNumber(1))
    .option("--learning-rate <rate>", "the largest, where a schedule changes it", positiveNumber)
    .option("--seed <number>", "of initial weights, order, augmentation", wholeNumber(0, 2 ** 32 - 1))
    .addOption(
      new Option("--precision <kind>", "what products are computed in").choices(["float32", "float64", "int8"]),
    )
    .option("--validation <share>", "training samples that choose the best epoch: share or count", numberFromZero)
    .option("--limit <count>", "training samples used, the same share of each class", wholeNumber(1))
    .option(
      "--set <key=value>",
      "any key of the recipe, such as optimizer.momentum=0.95; may be repeated",
      recipeChange,
    );
  addRuntimeOptions(command)
    .option("--time-budget <duration>", "ends after this time of work, such as 90s, 10m or 2h", duration)
    .option("--checkpoint-every <duration>", "between checkpoints (default 60s)", duration, 60);
  addCommonOptions(command.optionsGroup("Output:"))
    .addHelpText("after", `${EXAMPLES}\n\nRecipes: ${Object.keys(recipes).join(", ")}.`)
    .action(async (recipe: string | undefined, options: TrainOptions) => {
      const { train } = await import("../train.ts");
      const isDeviceStated = command.getOptionValueSource("device") === "cli";
      await train(recipe, { ...options, isDeviceStated }, context);
    });
}

const EXAMPLES = `
Examples:
  $ modicum train resnet20 --data cifar10:data/cifar10 --epochs 10 --output runs/first
  $ modicum train --resume runs/first
  $ modicum train --finetune model.onnx --classes 10 --data folder:pictures/
  $ modicum train mlp --data mnist:data/mnist --precision int8
  $ modicum train mlp --data mnist:data/mnist --set optimizer.kind=adam --set learningRate=0.001 --time-budget 10m`;
