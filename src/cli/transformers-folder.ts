/** The folder of `modicum quantize --folder`: what transformers.js loads, with a model card. */
import { basename, dirname, join, resolve } from "node:path";
import { completePreprocessing, type Preprocessing, pictureInputOf } from "../data/index.ts";
import { findPreprocessing, type LoadedModel, makeFolder, type NewFile, writeFilesAtomically } from "../files/index.ts";
import { writeModel } from "../onnx/index.ts";
import { cloneProgram, type Program } from "../program/index.ts";
import type { Evaluation, QuantizationReport } from "../quantize/index.ts";
import {
  type FileContent,
  type ModelVariant,
  modelFolder,
  renameClassifier,
  type TransformersDtype,
  transformersDtype,
  variantPath,
} from "../report/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { type PreprocessingOptions, statedPreprocessing } from "./data-options.ts";

/** What goes into the folder. */
export interface TransformersFolderParts {
  /** Path of the float model. */
  readonly path: string;
  readonly loaded: LoadedModel;
  readonly quantized: Program;
  readonly report: QuantizationReport;
  readonly evaluations: readonly Evaluation[];
  /** Loads both models, to check that they can be. */
  readonly runtime: Runtime;
  readonly data: string | undefined;
  readonly classNames: readonly string[] | undefined;
}

/**
 * Makes the files of the folder, the float model among them.
 *
 * @throws OptionError, UnsupportedError if the model cannot be offered to transformers.js. RuntimeFailure if it cannot be loaded.
 */
export async function transformersFiles(
  folder: string,
  parts: TransformersFolderParts,
  options: PreprocessingOptions,
): Promise<NewFile[]> {
  const { loaded, quantized, report, evaluations, runtime } = parts;
  const isClassifier = isPictureClassifier(loaded);
  const { weights, activations } = report.settings as Readonly<Record<string, number>>;
  const form = { weightBits: weights!, activationBits: activations!, target: report.target };
  const variant = async (
    dtype: TransformersDtype,
    program: Program,
    facts: Pick<ModelVariant, "report" | "evaluation">,
  ): Promise<ModelVariant> => {
    const fileName = basename(variantPath({ dtype }));
    const model = writeModel(isClassifier ? renamed(program) : program, { fileName });
    await (await runtime.createSession(model)).release();
    return { dtype, model, ...facts, check: { passed: true, detail: `loads in ${runtime.description}` } };
  };
  const variants = [
    await variant("fp32", loaded.program, { report: null, evaluation: evaluations[0] ?? null }),
    await variant(transformersDtype(form), quantized, { report, evaluation: evaluations[1] ?? null }),
  ];
  const [input] = loaded.inputs;
  const content = modelFolder({
    name: basename(resolve(folder)),
    task: isClassifier ? "image-classification" : "other",
    variants,
    ...(isClassifier && { preprocessing: await preprocessingOf(parts, options) }),
    ...(isClassifier && parts.classNames && { labels: parts.classNames }),
    ...(parts.data !== undefined && { dataset: basename(resolve(parts.data)) }),
    ...(input && { inputName: input.name, inputShape: sampleShape(input.shape) }),
    ...(loaded.program.graph.outputs[0] && { outputName: loaded.program.graph.outputs[0].name }),
  });
  return Array.from(content, ([name, value]) => ({ path: join(folder, name), chunks: () => chunksOf(value) }));
}

/** Writes the files of a folder, all or none. */
export async function writeFolder(files: readonly NewFile[]): Promise<void> {
  for (const folder of new Set(files.map(({ path }) => dirname(path)))) await makeFolder(folder);
  await writeFilesAtomically(files);
}

function isPictureClassifier({ program, inputs }: LoadedModel): boolean {
  const [input, ...others] = inputs;
  const { outputs } = program.graph;
  if (!input || others.length > 0 || outputs.length !== 1) return false;
  const channels = input.shape?.length === 4 ? pictureInputOf(input)?.channels : undefined;
  return (channels === 1 || channels === 3) && outputs[0]!.shape?.length === 2;
}

function renamed(program: Program): Program {
  const copy = cloneProgram(program).program;
  renameClassifier(copy);
  return copy;
}

async function preprocessingOf(
  { path, loaded, data }: TransformersFolderParts,
  options: PreprocessingOptions,
): Promise<Preprocessing> {
  const stated = await statedPreprocessing(options);
  return completePreprocessing(await findPreprocessing(stated, { modelPath: path, dataPath: data }), loaded.inputs[0]!);
}

function sampleShape(shape: readonly (number | string | null)[] | undefined): readonly number[] {
  return (shape ?? [1]).map((length) => (typeof length === "number" ? length : 1));
}

function chunksOf(content: FileContent): Iterable<Uint8Array> {
  if (typeof content === "string") return [new TextEncoder().encode(content)];
  return content instanceof Uint8Array ? [content] : content.chunks();
}
