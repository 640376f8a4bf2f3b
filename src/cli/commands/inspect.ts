/** `modicum inspect`: what a model is made of, and which of its layers would be quantized. */
import { type Command, InvalidArgumentError } from "commander";
import { addCommonOptions, type CommandContext, type CommonOptions, printResult } from "../command.ts";
import type { ModelSummary } from "../model-summary.ts";

interface InspectOptions extends CommonOptions {
  readonly shape?: Readonly<Record<string, readonly number[]>>;
}

/** Adds the command's arguments, options and action. */
export function define(command: Command, context: CommandContext): void {
  addCommonOptions(command.argument("<model>", "an .onnx file"))
    .option(
      "--shape <name=lengths>",
      "shape of an input for counting, such as data=1,3,224,224; may be repeated (default: batch of one)",
      readShape,
    )
    .addHelpText("after", EXAMPLES)
    .action((model: string, options: InspectOptions) => inspect(model, options, context));
}

const EXAMPLES = `
Examples:
  $ modicum inspect model.onnx
  $ modicum inspect super-resolution.onnx --shape input=1,1,224,224
  $ modicum inspect model.onnx --json`;

function readShape(text: string, previous: Readonly<Record<string, readonly number[]>> = {}) {
  const at = text.lastIndexOf("=");
  const lengths = text
    .slice(at + 1)
    .split(",")
    .map(Number);
  if (at < 1 || !lengths.every((length) => Number.isInteger(length) && length > 0)) {
    throw new InvalidArgumentError("It must be a name and lengths, such as data=1,3,224,224.");
  }
  return { ...previous, [text.slice(0, at)]: lengths };
}

async function inspect(path: string, options: InspectOptions, context: CommandContext): Promise<void> {
  const { readModelFile } = await import("../../files/index.ts");
  const { summarizeModel } = await import("../model-summary.ts");
  const { lazyCpuRuntime } = await import("../runtime-choice.ts");
  const { program, file } = await readModelFile(path);
  const shapes = options.shape ? { inputShapes: options.shape } : {};
  const summary = await summarizeModel(program, { path, file, runtime: lazyCpuRuntime(), ...shapes });
  const text = options.json ? "" : await describe(summary);
  printResult(context, options, { json: () => summary, text: () => text });
}

async function describe(summary: ModelSummary): Promise<string> {
  const { formatBytes, formatCount, textTable } = await import("../../report/index.ts");
  const facts: [string, string][] = [
    ["size", formatBytes(summary.sizeBytes)],
    ...summary.externalFiles.map(({ location, sizeBytes }): [string, string] => [
      "external data",
      `${location} (${formatBytes(sizeBytes)})`,
    ]),
    ["producer", [summary.producer.name, summary.producer.version].filter(Boolean).join(" ") || "unknown"],
    ["IR version", String(summary.irVersion)],
    [
      "opsets",
      Object.entries(summary.opsets)
        .map((entry) => entry.join(" "))
        .join(", "),
    ],
    ...summary.inputs.map((value): [string, string] => ["input", describeValue(value)]),
    ...summary.outputs.map((value): [string, string] => ["output", describeValue(value)]),
    ["parameters", formatCount(summary.parameters)],
    [
      "MACs",
      summary.macs === null
        ? "unknown: give the input's shape with --shape"
        : `${formatCount(summary.macs)} per sample`,
    ],
    [
      "weights",
      Object.entries(summary.weightBytes)
        .map(([dtype, bytes]) => `${dtype} ${formatBytes(bytes)}`)
        .join(", ") || "none",
    ],
    ["operators", summary.operators.map(({ operator, count }) => `${operator} ${count}`).join(", ")],
    ...(summary.functions.length > 0 ? [["functions", summary.functions.join(", ")] as [string, string]] : []),
  ];
  const layers = textTable(
    [
      { header: "layer", value: (layer) => layer.name },
      { header: "kind", value: (layer) => layer.kind },
      { header: "weights", value: (layer) => layer.weightShape.map((length) => length ?? "?").join("x") },
      { header: "parameters", value: (layer) => layer.parameters, format: formatCount },
      { header: "MACs", value: (layer) => layer.macs, format: formatCount, align: "right" },
      { header: "quantized", value: (layer) => (layer.quantizable ? "yes" : `no: ${layer.reason}`) },
    ],
    summary.layers,
    { maxCellWidth: 100 },
  );
  return [
    summary.path,
    ...facts.map(([name, value]) => `  ${name.padEnd(14)}${value}`),
    "",
    summary.layers.length > 0 ? layers : "No layer has constant weights: nothing would be quantized.",
    ...conclusions(summary),
  ].join("\n");
}

function describeValue({ name, dtype, shape }: ModelSummary["inputs"][number]): string {
  return `${name} ${dtype ?? "(not a tensor)"} ${shape ? `[${shape.map((length) => length ?? "?").join(", ")}]` : ""}`.trimEnd();
}

function conclusions(summary: ModelSummary): string[] {
  const quantizable = summary.layers.filter((layer) => layer.quantizable);
  const share = quantizable.reduce((sum, layer) => sum + layer.parameters, 0) / Math.max(1, summary.parameters);
  return [
    "",
    `${quantizable.length} of ${summary.layers.length} layers would be quantized, with ${(100 * share).toFixed(1)} % of the parameters.`,
    ...(summary.isQuantized
      ? ["The model is quantized already. Start from its float version where there is one."]
      : []),
    ...summary.remarks,
  ];
}
