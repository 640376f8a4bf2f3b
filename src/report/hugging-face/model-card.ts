/** The README.md of a model repository: what the files are, what they keep, and how to run them. */
import { modelSizeBytes } from "../../onnx/index.ts";
import type { Column } from "../column.ts";
import { formatBits, formatBytes, formatFixed, formatMilliseconds, formatPercent, UNKNOWN } from "../format.ts";
import { escapeMarkdown, markdownCode, markdownTable } from "../text-table.ts";
import { PICTURE_INPUT, SCORE_OUTPUT } from "./classifier-names.ts";
import { isFloatVariant, type ModelVariant, variantBits, variantPath } from "./model-variant.ts";

/** What a card says besides what the variants tell. */
export interface CardDetails {
  /** Name of the model, as in `owner/name` or a plain name. */
  readonly name: string;
  readonly task: "image-classification" | "other";
  /** The model this one was made from, as on the Hugging Face hub; left out when not known. */
  readonly baseModel?: string;
  /** Licence identifier of the hub, such as `apache-2.0`; left out when not known. */
  readonly license?: string;
  /** What accuracy was measured on, such as `500 ImageNet pictures`; the sample count stands there when not given. */
  readonly dataset?: string;
  /** Shape of the input for one sample, for the usage example. Default [1, 3, 224, 224]. */
  readonly inputShape?: readonly number[];
  /** Name of the input and the output, for tasks other than image classification. */
  readonly inputName?: string;
  readonly outputName?: string;
}

/**
 * Returns a model card in Markdown with YAML front matter: size, accuracy and speed of each variant as measured, the quantizations
 * applied with what their check found, usage with transformers.js and onnxruntime-web, and how each file was made.
 */
export function modelCard(variants: readonly ModelVariant[], details: CardDetails): string {
  const quantized = variants.filter((variant) => !isFloatVariant(variant));
  return `${[
    frontMatter(variants, details),
    `# ${escapeMarkdown(details.name)}`,
    introduction(variants, details),
    "## Files",
    markdownTable(fileColumns(variants), variants),
    measuredOn(variants, details),
    "## Applied Quantizations",
    quantized.map(checklistItem).join("\n") || "None.",
    "## Usage",
    usage(variants, details),
    "## How it was made",
    quantized.map(recipe).join("\n\n") || "The float model, unchanged.",
  ]
    .filter((part) => part !== "")
    .join("\n\n")}\n`;
}

function frontMatter(variants: readonly ModelVariant[], { task, baseModel, license }: CardDetails): string {
  const bits = new Set(
    variants.flatMap((variant) =>
      (variantBits(variant).weights ?? 32) < 16 ? [`int${variantBits(variant).weights}`] : [],
    ),
  );
  const version = variants.find(({ report }) => report)?.report?.modicumVersion;
  const lines = [
    "library_name: transformers.js",
    ...(baseModel === undefined ? [] : [`base_model: ${yamlString(baseModel)}`, "base_model_relation: quantized"]),
    ...(license === undefined ? [] : [`license: ${yamlString(license)}`]),
    ...(task === "image-classification" ? ["pipeline_tag: image-classification"] : []),
    "tags:",
    ...["onnx", "quantized", "modicum", ...[...bits].sort()].map((name) => `  - ${yamlString(name)}`),
    ...(version === undefined ? [] : [`quantized_by: ${yamlString(`modicum ${version}`)}`]),
  ];
  return `---\n${lines.join("\n")}\n---`;
}

/** A double-quoted YAML string: JSON's escapes are YAML's. */
function yamlString(text: string): string {
  return JSON.stringify(text);
}

function introduction(variants: readonly ModelVariant[], { baseModel }: CardDetails): string {
  const source = baseModel === undefined ? "an ONNX model" : markdownCode(baseModel);
  const smallest = [...variants].sort((a, b) => bytesOf(a) - bytesOf(b))[0];
  const original = originalBytes(variants);
  const gain =
    smallest && !isFloatVariant(smallest) && original !== undefined
      ? ` The smallest file is ${markdownCode(smallest.dtype)}: ${formatBytes(bytesOf(smallest))}, ${formatFixed(bytesOf(smallest) / original, 2)} times the float model's ${formatBytes(original)}.`
      : "";
  return `Quantized from ${source} with [Modicum](https://www.npmjs.com/package/modicum).${gain}`;
}

function fileColumns(variants: readonly ModelVariant[]): Column<ModelVariant>[] {
  const original = originalBytes(variants);
  const percent = (value: number): string => formatFixed(value, 1);
  const columns: Column<ModelVariant>[] = [
    { header: "file", value: variantPath, code: true },
    { header: "dtype", value: ({ dtype }) => dtype, code: true },
    { header: "weights", value: (variant) => bitsText(variantBits(variant).weights) },
    { header: "activations", value: (variant) => bitsText(variantBits(variant).activations) },
    { header: "size", value: bytesOf, format: formatBytes },
    {
      header: "of float",
      value: (variant) => (original === undefined ? null : bytesOf(variant) / original),
      format: (ratio) => `${formatFixed(ratio, 3)} ×`,
    },
    { header: "top-1 %", value: ({ evaluation }) => evaluation?.top1 ?? null, format: percent },
    { header: "± error", value: ({ evaluation }) => evaluation?.top1StandardError ?? null, format: percent },
    { header: "top-5 %", value: ({ evaluation }) => evaluation?.top5 ?? null, format: percent },
    { header: "agreement %", value: ({ evaluation }) => evaluation?.agreement ?? null, format: percent },
    {
      header: "latency",
      value: ({ evaluation }) => evaluation?.latencyMs.median ?? null,
      format: formatMilliseconds,
    },
  ];
  const isMeasured = (column: Column<ModelVariant>): boolean =>
    column.format === undefined || variants.some((variant, i) => column.value(variant, i) !== null);
  return columns.filter(isMeasured);
}

function measuredOn(variants: readonly ModelVariant[], { dataset }: CardDetails): string {
  const measured = variants.find(({ evaluation }) => evaluation);
  if (!measured?.evaluation) return "Accuracy and speed were not measured.";
  const data = dataset === undefined ? `${measured.evaluation.count} samples` : escapeMarkdown(dataset);
  const runtime = variants.find(({ report }) => report)?.report?.runtime;
  const on = runtime === undefined ? "" : ` with ${escapeMarkdown(runtime)}`;
  return `Measured on ${data}${on}. "± error" is the standard error of top-1 in points; "agreement" is the share of samples on which the top-1 class equals the float model's; latency is the median for one sample on the machine that made the files.`;
}

function checklistItem(variant: ModelVariant): string {
  const { dtype, evaluation, check, report } = variant;
  const { weights, activations } = variantBits(variant);
  const sign = check === null ? "⬜" : check.passed ? "✅" : "❌";
  const kept =
    evaluation?.top1 !== null && evaluation?.top1 !== undefined
      ? `top-1 ${formatPercent(evaluation.top1)}`
      : evaluation?.agreement !== null && evaluation?.agreement !== undefined
        ? `agreement with float ${formatPercent(evaluation.agreement)}`
        : "accuracy not measured";
  const outcome = check === null ? "not checked" : escapeMarkdown(check.detail);
  const target = report ? `, for ${escapeMarkdown(report.target)}` : "";
  const bits = report ? `, ${bitsText(weights)} weights, ${bitsText(activations)} activations` : "";
  return `- ${sign} ${markdownCode(dtype)}: ${markdownCode(variantPath(variant))}${bits}${target}; ${kept}; ${outcome}`;
}

function usage(variants: readonly ModelVariant[], details: CardDetails): string {
  const { name, task, inputShape = [1, 3, 224, 224] } = details;
  const chosen = variants.find((variant) => !isFloatVariant(variant)) ?? variants[0]!;
  const inputName = task === "image-classification" ? PICTURE_INPUT : (details.inputName ?? "input");
  const outputName = task === "image-classification" ? SCORE_OUTPUT : (details.outputName ?? "output");
  const text = (value: string): string => JSON.stringify(value).replace(/`/g, "\\u0060");
  const transformers =
    task === "image-classification"
      ? [
          'import { pipeline } from "@huggingface/transformers";',
          "",
          `const classify = await pipeline("image-classification", ${text(name)}, { dtype: ${text(chosen.dtype)} });`,
          'console.log(await classify("picture.jpg", { top_k: 5 }));',
        ]
      : [
          'import { AutoModel } from "@huggingface/transformers";',
          "",
          `const model = await AutoModel.from_pretrained(${text(name)}, { dtype: ${text(chosen.dtype)} });`,
          `const outputs = await model({ ${text(inputName)}: tensor });`,
        ];
  const shape = `[${inputShape.join(", ")}]`;
  const elements = inputShape.reduce((product, length) => product * length, 1);
  const runtime = [
    'import * as ort from "onnxruntime-web";',
    "",
    `const session = await ort.InferenceSession.create(${text(variantPath(chosen))});`,
    `const input = new ort.Tensor("float32", new Float32Array(${elements}), ${shape});`,
    `const outputs = await session.run({ ${text(inputName)}: input });`,
    `console.log(outputs[${text(outputName)}].data);`,
  ];
  return [
    "With [transformers.js](https://huggingface.co/docs/transformers.js):",
    codeBlock(transformers),
    "With [onnxruntime-web](https://www.npmjs.com/package/onnxruntime-web) (or onnxruntime-node):",
    codeBlock(runtime),
  ].join("\n\n");
}

function codeBlock(lines: readonly string[]): string {
  return ["```js", ...lines, "```"].join("\n");
}

function recipe(variant: ModelVariant): string {
  const { report } = variant;
  if (!report) return `${markdownCode(variantPath(variant))}: made elsewhere.`;
  const settings = Object.entries(report.settings).map(([name, value]) => markdownCode(`${name}: ${String(value)}`));
  const floats = report.layers.filter(({ weightBits }) => weightBits >= 16).length;
  return [
    `${markdownCode(variantPath(variant))}: ${report.layers.length - floats} layers quantized${floats > 0 ? `, ${floats} left in float` : ""}; weights have ${formatFixed(report.meanWeightBits, 2)} bits on average. Calibrated on ${escapeMarkdown(report.calibration.source)} (${report.calibration.samples} samples). Input sha256 ${markdownCode(report.input.sha256)}.`,
    `Settings: ${settings.join(", ")}.`,
    report.remarks.map((remark) => `- ${escapeMarkdown(remark)}`).join("\n"),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function originalBytes(variants: readonly ModelVariant[]): number | undefined {
  const float = variants.find(isFloatVariant);
  return float ? bytesOf(float) : variants.find(({ report }) => report)?.report?.input.sizeBytes;
}

function bytesOf({ model }: ModelVariant): number {
  return modelSizeBytes(model);
}

function bitsText(bits: number | null): string {
  if (bits === null) return UNKNOWN;
  return bits >= 16 ? "float" : `${formatBits(bits)}-bit`;
}
