/** `modicum compare`: what sets a model apart from another on the same samples. */
import type { Command } from "commander";
import { addCommonOptions, type CommandContext, printResult } from "../command.ts";
import type { ComparisonRecord } from "../comparison.ts";
import { addPreprocessingOptions, addRuntimeOptions } from "../data-options.ts";
import type { EvaluationOptions } from "../evaluate-models.ts";
import { numberFromZero, wholeNumber } from "../option-values.ts";

interface CompareOptions extends EvaluationOptions {
  readonly worst: number;
}

/** Adds the command's arguments, options and action. */
export function define(command: Command, context: CommandContext): void {
  command
    .argument("<reference>", "an .onnx file, such as the float model")
    .argument("<model>", "the .onnx file that is compared with it")
    .requiredOption(
      "--data <path>",
      "folder of pictures with or without labels, MNIST or CIFAR-10 folder, .npy or .npz",
    )
    .option("--limit <count>", "samples used, drawn at random by the seed", wholeNumber(1))
    .option("--seed <number>", "of that draw (default 0)", wholeNumber(0, 2 ** 32 - 1))
    .option("--worst <count>", "samples listed on which outputs differ most", wholeNumber(0), 5);
  addRuntimeOptions(command)
    .option("--batch <count>", "samples at once when outputs are compared", wholeNumber(1), 16)
    .option("--timing <seconds>", "of measuring speed, for each model; 0: speed is not measured", numberFromZero, 2);
  addPreprocessingOptions(command);
  addCommonOptions(command.optionsGroup("Output:"))
    .addHelpText("after", EXAMPLES)
    .action((reference: string, model: string, options: CompareOptions) =>
      compare([reference, model], options, context),
    );
}

const EXAMPLES = `
Examples:
  $ modicum compare model.onnx small.onnx --data pictures/
  $ modicum compare model.onnx small.onnx --data inputs.npz --worst 20 --json`;

async function compare(paths: readonly string[], options: CompareOptions, context: CommandContext): Promise<void> {
  const { readSubjects, withEvaluatedModels } = await import("../evaluate-models.ts");
  const { compareSetup } = await import("../comparison.ts");
  const subjects = await readSubjects(paths);
  await withEvaluatedModels(subjects, options, context, async (setup) => {
    const record = await compareSetup(setup, options.worst);
    const text = options.json ? "" : await describe(record, setup.runtime);
    const models = record.models.map((model) => ({ ...model, runtime: setup.runtime }));
    printResult(context, options, { json: () => ({ ...record, models }), text: () => text });
  });
}

async function describe(record: ComparisonRecord, runtime: string): Promise<string> {
  const { evaluationTable } = await import("../evaluation-table.ts");
  const { formatDecibels, formatFixed, formatPercent, formatSigned, formatValue, textTable } = await import(
    "../../report/index.ts"
  );
  const { accuracyDifference, accuracyDifferenceStandardError, disagreements, latencyRatio, worstSamples } = record;
  const known = (name: string, value: string | false): [string, string][] => (value === false ? [] : [[name, value]]);
  const ratios = latencyRatio?.quartiles.map((ratio) => formatFixed(ratio, 2)).join(" to ");
  const facts = [
    ...known("same decision", record.agreement !== null && formatPercent(record.agreement)),
    ...known("decided differently", disagreements !== null && `${disagreements.length} samples`),
    ...known(
      "change of top-1",
      accuracyDifference !== null &&
        `${formatSigned(accuracyDifference, 2)} ± ${formatFixed(accuracyDifferenceStandardError, 2)} points`,
    ),
    ...known(
      "SQNR of the outputs",
      record.outputSqnrDb === null ? "nothing differs" : formatDecibels(record.outputSqnrDb),
    ),
    ...known("largest difference", formatValue(record.outputMaxDifference)),
    ...known("size", `${formatFixed(record.sizeRatio, 3)} x`),
    ...known("latency", latencyRatio !== null && `${formatFixed(latencyRatio.median, 2)} x (${ratios})`),
    ...known("throughput", latencyRatio !== null && `${formatFixed(record.throughputRatio, 2)} x`),
  ];
  const worst = textTable(
    [
      { header: "worst samples", value: (sample) => sample.sample },
      { header: "SQNR dB", value: (sample) => sample.sqnrDb, format: (value) => formatFixed(value, 1) },
      { header: "class", value: (sample) => sample.label },
      { header: "reference says", value: (sample) => sample.classes?.[0] ?? null },
      { header: "model says", value: (sample) => sample.classes?.[1] ?? null },
    ],
    worstSamples,
  );
  return [
    evaluationTable(record.models),
    `(${runtime})`,
    "",
    ...facts.map(([name, value]) => `${name.padEnd(25)}${value}`),
    ...(worstSamples.length > 0 ? ["", worst] : []),
  ].join("\n");
}
