/** A folder that transformers.js can load: configuration, models in several precisions, and a model card. */
import type { Preprocessing } from "../../data/index.ts";
import { OptionError } from "../../errors.ts";
import { type ExternalDataSource, type ExternalFile, readModel } from "../../onnx/index.ts";
import { type ClassifierInterface, classifierInterface } from "./classifier-names.ts";
import { transformersFileName } from "./dtype.ts";
import { type CardDetails, modelCard } from "./model-card.ts";
import { isFloatVariant, type ModelVariant, variantPath } from "./model-variant.ts";
import { preprocessorConfig } from "./preprocessor-config.ts";
import { quantizeConfig } from "./quantize-config.ts";

/** What goes into a folder. */
export interface ModelFolderOptions extends Omit<CardDetails, "task"> {
  /** The same model in several precisions, one for each dtype; the float original may be among them. */
  readonly variants: readonly ModelVariant[];
  /** "image-classification": loads with `pipeline` and `AutoModelForImageClassification`. "other": with `AutoModel`. */
  readonly task: "image-classification" | "other";
  /** How pictures become input; needed for image classification. */
  readonly preprocessing?: Preprocessing;
  /** Names of the classes, in order. Default: `LABEL_0`, `LABEL_1`, ... */
  readonly labels?: readonly string[];
}

/** Content of a file: text, bytes, or weights to be copied piece by piece. */
export type FileContent = string | Uint8Array | ExternalFile;

/**
 * Returns the files of a folder as transformers.js expects it, by path with forward slashes:
 *
 *   config.json, preprocessor_config.json (pictures), quantize_config.json, README.md, onnx/model_q4.onnx, ...
 *
 * The configuration says `model_type: "resnet"`, which in transformers.js 4 is an image classifier with input `pixel_values` and
 * output `logits` and nothing else that is special to ResNets, so it fits any; `"custom"` for other tasks. It also names the
 * dtype to load where the caller gives none: transformers.js would else ask for `fp32` in Node and `q8` in browsers.
 *
 * @throws OptionError if there is no variant, two share a dtype, a variant is simulated, weight files have names that
 * transformers.js does not find, the number of labels is wrong, or preprocessing is missing.
 * @throws UnsupportedError if an image classifier's input and output are not named as `renameClassifier` does.
 */
export function modelFolder(options: ModelFolderOptions): Map<string, FileContent> {
  const { variants, task, preprocessing, labels, ...card } = options;
  assertVariants(variants);
  const classifier = task === "image-classification" ? readClassifier(variants) : undefined;
  const files = new Map<string, FileContent>();
  files.set("config.json", json(modelConfig(options, classifier)));
  if (classifier) {
    if (!preprocessing) {
      throw new OptionError(
        "modelFolder: an image classifier must come with its preprocessing, got none. Pass `preprocessing`.",
      );
    }
    files.set("preprocessor_config.json", json(preprocessorConfig(preprocessing)));
  }
  files.set("quantize_config.json", json(quantizeConfig(variants)));
  files.set("README.md", modelCard(variants, { ...card, task }));
  for (const variant of variants) {
    files.set(variantPath(variant), variant.model.bytes);
    for (const external of variant.model.external) files.set(`onnx/${external.location}`, external);
  }
  return files;
}

function modelConfig(options: ModelFolderOptions, classifier: ClassifierInterface | undefined): object {
  const { variants, labels, preprocessing } = options;
  const external = variants.filter(({ model }) => model.external.length > 0);
  const transformersJs = {
    dtype: (variants.find((variant) => !isFloatVariant(variant)) ?? variants[0]!).dtype,
    ...(external.length > 0 && {
      use_external_data_format: Object.fromEntries(
        external.map(({ dtype, model }) => [transformersFileName(dtype), model.external.length]),
      ),
    }),
  };
  if (!classifier) return { model_type: "custom", "transformers.js_config": transformersJs };
  const count = classifier.classCount ?? labels?.length;
  if (labels && classifier.classCount !== undefined && labels.length !== classifier.classCount) {
    throw new OptionError(
      `modelFolder: there must be one label for each of the ${classifier.classCount} classes, got ${labels.length}.`,
    );
  }
  const names = labels ?? Array.from({ length: count ?? 0 }, (_, i) => `LABEL_${i}`);
  return {
    model_type: "resnet",
    architectures: ["ResNetForImageClassification"],
    num_channels: preprocessing?.channels === "gray" ? 1 : 3,
    num_labels: names.length,
    id2label: Object.fromEntries(names.map((name, i) => [String(i), name])),
    label2id: Object.fromEntries(names.map((name, i) => [name, i])),
    "transformers.js_config": transformersJs,
  };
}

function assertVariants(variants: readonly ModelVariant[]): void {
  if (variants.length === 0) throw new OptionError("modelFolder: there must be at least one variant, got none.");
  const taken = new Set<string>();
  for (const { dtype, report, model } of variants) {
    if (taken.has(dtype)) {
      throw new OptionError(
        `modelFolder: every variant must have a dtype of its own, got "${dtype}" twice. Give one of them another dtype or folder.`,
      );
    }
    taken.add(dtype);
    if (report && !report.deployable) {
      throw new OptionError(
        `modelFolder: every variant must be deployable, got a simulated model as "${dtype}". Quantize it without --simulate.`,
      );
    }
    const fileName = transformersFileName(dtype);
    model.external.forEach(({ location }, i) => {
      const expected = `${fileName}_data${i === 0 ? "" : `_${i}`}`;
      if (location !== expected) {
        throw new OptionError(
          `modelFolder: weights of ${fileName} must lie in ${expected}, got ${location}. ` +
            `Write the model with externalData: { location: "${expected}" }.`,
        );
      }
    });
  }
}

/** All variants have the same interface; it is taken from one, and checked in each. */
function readClassifier(variants: readonly ModelVariant[]): ClassifierInterface {
  const found = variants.map((variant) => {
    const program = readModel(variant.model.bytes, { where: variantPath(variant), external: namesOnly(variant) });
    return classifierInterface(program, true);
  });
  return found.find(({ classCount }) => classCount !== undefined) ?? found[0]!;
}

/** Enough to read a model's structure; its weights are not looked at. */
function namesOnly({ model }: ModelVariant): ExternalDataSource {
  return {
    sizeBytes: (name) => model.external.find(({ location }) => location === name)?.sizeBytes ?? 0,
    read: () => {
      throw new Error("internal: the interface of a model must not depend on its weights.");
    },
  };
}

function json(content: object): string {
  return `${JSON.stringify(content, null, 2)}\n`;
}
