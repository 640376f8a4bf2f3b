/** `modicum tune`: measures which forms of the gradients of convolutions are fastest on this machine. */
import type { Command } from "commander";
import type { FormTiming, LoweringTable } from "../../lower/index.ts";
import { addCommonOptions, type CommandContext, type CommonOptions, printResult } from "../command.ts";
import { addRuntimeOptions } from "../data-options.ts";
import { positiveNumber } from "../option-values.ts";
import type { RuntimeChoice } from "../runtime-choice.ts";

interface TuneCommandOptions extends CommonOptions, RuntimeChoice {
  readonly seconds: number;
  readonly out?: string;
  readonly force?: boolean;
}

/** Adds the command's options and action. */
export function define(command: Command, context: CommandContext): void {
  addRuntimeOptions(command).option(
    "--seconds <seconds>",
    "of measuring, for each form of each shape",
    positiveNumber,
    0.15,
  );
  command
    .optionsGroup("Output:")
    .option("-o, --out <path>", "file for the table, to be given to `compile`")
    .option("--force", "replace the file if it exists");
  addCommonOptions(command)
    .addHelpText("after", EXAMPLES)
    .action((options: TuneCommandOptions) => tune(options, context));
}

const EXAMPLES = `
Examples:
  $ modicum tune
  $ modicum tune --device wasm --out lowering.json`;

async function tune(options: TuneCommandOptions, context: CommandContext): Promise<void> {
  const { out, force = false, seconds } = options;
  if (out !== undefined) {
    const { assertWritable } = await import("../output-path.ts");
    await assertWritable(out, { option: "--out", inputs: [], force });
  }
  const { tuneLowering } = await import("../../lower/index.ts");
  const { chooseRuntime } = await import("../runtime-choice.ts");
  const { createProgress } = await import("../progress.ts");
  const progress = await createProgress(context.stderr, options);
  try {
    const table = await tuneLowering(await chooseRuntime(options), {
      seconds,
      signal: context.signal,
      onTiming: (_timing, done, total) => progress.update({ stage: "tuning", done, total, unit: "measurements" }),
    });
    progress.stop();
    if (out !== undefined) {
      const { writeFileAtomically } = await import("../../files/index.ts");
      await writeFileAtomically(out, `${JSON.stringify(table)}\n`);
    }
    const text = options.json ? "" : await describe(table);
    printResult(context, options, { json: () => table, text: () => text });
  } finally {
    progress.stop();
  }
}

async function describe({ runtime, timings }: LoweringTable): Promise<string> {
  const { textTable } = await import("../../report/index.ts");
  const rows = textTable(
    [
      { header: "operator", value: ({ operator }: FormTiming) => operator.replace("modicum:", "") },
      { header: "shape", value: ({ shape }: FormTiming) => describeShape(shape) },
      { header: "fastest", value: ({ ms }: FormTiming) => ranked(ms)[0]![0] },
      {
        header: "ms",
        value: ({ ms }: FormTiming) =>
          ranked(ms)
            .map(([form, time]) => `${form} ${time}`)
            .join(", "),
      },
    ],
    timings,
  );
  return `${rows}\n(${runtime})`;
}

function ranked(ms: FormTiming["ms"]): [string, number][] {
  return Object.entries(ms).sort(([, a], [, b]) => a - b);
}

function describeShape({ inputs, outputs, lengths, kernel, stride, group }: FormTiming["shape"]): string {
  const parts = [`${inputs} to ${outputs} channels`, lengths.join("x"), `kernel ${kernel.join("x")}`];
  if (stride > 1) parts.push(`stride ${stride}`);
  if (group > 1) parts.push(`${group} groups`);
  return parts.join(", ");
}
