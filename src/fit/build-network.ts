/** The network of a recipe, from samples as they are fed to scores. */
import type { Layer, Scope } from "../build/index.ts";
import type { Normalization, TrainingData } from "../data/index.ts";
import { DataError, OptionError } from "../errors.ts";
import { findModel, type ModelOptions } from "../models/index.ts";
import * as nn from "../nn/index.ts";
import type { Program, Value } from "../program/index.ts";
import { type DType, tensorOf } from "../tensor/index.ts";
import { type ImportedModel, importOnnx, outputAxisOf } from "../train/index.ts";
import { batchNormOptions } from "./batch-norm-options.ts";
import { headOf } from "./head-of.ts";
import type { Recipe } from "./recipe.ts";
import { withNormalizedWeights } from "./weight-normalization-of.ts";

/** What a network must know of the data: enough to build it again when the data are gone. All of it is JSON. */
export type DataFacts = Pick<TrainingData, "kind" | "classes" | "sampleShape" | "dtype"> & {
  readonly classNames?: readonly string[] | undefined;
  readonly normalization?: Normalization | undefined;
};

/** A model in the place of a named network. */
export type NetworkFile = Uint8Array | Program;

/** What a network is made of that a recipe does not hold. */
export interface GivenParts {
  /** The model that `recipe.model.onnx` names. */
  readonly importedModel?: NetworkFile | undefined;
  /** Makes the last layer from the number of classes, in place of the recipe's. */
  readonly head?: ((classes: number) => Layer) | undefined;
}

/** A network, from its input to scores. */
export interface Network {
  /** From samples as data sets give them: bytes of pictures are normalized inside the program. */
  readonly fromSamples: Layer;
  /**
   * The same as it is exported. Pictures that are bytes come normalized, as float32; the preprocessing beside the file says how.
   * Everything else comes as the data set has it.
   */
  readonly exported: Layer;
  /** Element type of the exported network's input. */
  readonly exportedDtype: DType;
}

/**
 * Builds the network of a recipe for data of a kind.
 *
 * Shapes: x [batch, ...sampleShape] -> scores [batch, classes]; for tokens [batch, length, classes].
 *
 * @throws OptionError if the recipe's model does not take such data, or a new head cannot be put on an imported one.
 */
export function buildNetwork(recipe: Recipe, data: DataFacts, given: GivenParts = {}): Network {
  const { model } = recipe;
  const layer = "onnx" in model ? importedNetwork(model, data, given) : knownNetwork(model, data, given);
  if (data.kind === "tokens") return { fromSamples: layer, exported: layer, exportedDtype: data.dtype };
  const isBytes = data.dtype === "uint8";
  const normalized = normalizationLayer(data, recipe.data.normalization ?? data.normalization);
  const inside: Layer = (x, scope) => layer(normalized(x, scope), scope);
  return { fromSamples: inside, exported: isBytes ? layer : inside, exportedDtype: "float32" };
}

type KnownModel = Extract<Recipe["model"], { name: string }>;
type ImportedRecipe = Extract<Recipe["model"], { onnx: string }>;

function knownNetwork(model: KnownModel, data: DataFacts, { head: givenHead }: GivenParts): Layer {
  const definition = findModel(model.name);
  const isText = data.kind === "tokens";
  if ((definition.task === "language") !== isText) {
    throw new OptionError(
      `recipe: model.name must be a network for ${data.kind}, got ${model.name}, a ` +
        `${definition.task === "language" ? "language model, for text" : "classifier"}.`,
    );
  }
  const { name: _, normalization, head, weightNormalization, ...rest } = model;
  const last = givenHead ?? (head && headOf(head));
  const options: ModelOptions = {
    classes: data.classes,
    ...rest,
    ...(normalization && { normalization: () => normalizationOf(normalization) }),
    ...(last && { head: last }),
  };
  return withNormalizedWeights(definition.build(options), weightNormalization);
}

function normalizationOf(recipe: NonNullable<KnownModel["normalization"]>): Layer {
  switch (recipe.kind) {
    case "batch":
      return nn.batchNorm(batchNormOptions(recipe));
    case "group":
      return nn.groupNorm({
        groups: recipe.groups,
        ...(recipe.epsilon !== undefined && { epsilon: recipe.epsilon }),
      });
    case "instance":
      return nn.instanceNorm({ affine: true, ...(recipe.epsilon !== undefined && { epsilon: recipe.epsilon }) });
    case "none":
      return (x) => x;
  }
}

/** x scale / std - mean / std, channel by channel: the first two operators of the program. */
function normalizationLayer({ sampleShape }: DataFacts, normalization: Normalization | undefined): Layer {
  const channels = sampleShape[0]!;
  if (normalization && [normalization.mean, normalization.std].some(({ length }) => length !== channels)) {
    throw new OptionError(
      `recipe: data.normalization must have a mean and a std for each of ${channels} channels, ` +
        `got ${normalization.mean.length} and ${normalization.std.length}.`,
    );
  }
  return (x, scope: Scope): Value => {
    const { ops } = scope.child("normalize");
    const numbers = x.dtype === scope.dtype ? x : ops.cast(x, scope.dtype);
    if (!normalization) return numbers;
    const { scale, mean, std } = normalization;
    const shape = [channels, ...sampleShape.slice(1).map(() => 1)];
    const perChannel = (value: (channel: number) => number) =>
      ops.constant(
        tensorOf(
          scope.dtype,
          shape,
          Array.from({ length: channels }, (_, channel) => value(channel)),
        ),
      );
    const slope = perChannel((channel) => scale / std[channel]!);
    return ops.sub(
      ops.mul(numbers, slope),
      perChannel((channel) => mean[channel]! / std[channel]!),
    );
  };
}

/** The model of a file up to the features, then a new head. */
function importedNetwork(recipe: ImportedRecipe, data: DataFacts, given: GivenParts): Layer {
  const { importedModel: file, head: makeHead = headOf(recipe.head ?? { kind: "linear" }) } = given;
  if (!file) throw new OptionError(`recipe: the model ${recipe.onnx} must be given to train it further, got none.`);
  const imported = importOnnx(file);
  const output = recipe.features ?? imported.features;
  if (output === undefined) {
    throw new OptionError(
      `${recipe.onnx}: a model must end with a convolution or matrix product with weights, which a new head replaces, got none. ` +
        "Name the value that the head reads with model.features.",
    );
  }
  assertTakes(recipe, imported, data);
  if (recipe.normalization && recipe.train === "head") {
    throw new OptionError(
      "recipe: model.normalization must come with model.train all, got head. Leave one of them out.",
    );
  }
  const layer = imported.layer({
    output,
    trainable: () => recipe.train === "all",
    ...(recipe.normalization && { normalization: batchNormOptions(recipe.normalization) }),
  });
  const axis = (path: string): number | undefined => outputAxisOf(imported.program, path.replace(/^body\./, ""));
  const body = withNormalizedWeights(layer, recipe.weightNormalization, axis);
  const last = makeHead(data.classes);
  const head = nn.sequential({ flatten: nn.flatten(), head: last });
  const pooled = nn.sequential({ pool: nn.globalAveragePool(), flatten: nn.flatten(), head: last });
  return (x, scope) => {
    const features = body(x, scope.child("body"));
    const rank = features.shape?.length;
    if (rank === 2 || rank === 4) return (rank === 4 ? pooled : head)(features, scope);
    throw new OptionError(
      `${recipe.onnx}: the new head must read features [batch, n] or [batch, channels, height, width], got ` +
        `"${output}" of rank ${rank ?? "unknown"}. Name another value with model.features.`,
    );
  };
}

/** @throws DataError unless the model's only input is float32 and as large as a sample where it says so. */
function assertTakes({ onnx }: ImportedRecipe, { program }: ImportedModel, { sampleShape, kind }: DataFacts): void {
  const inputs = program.graph.inputs.filter((input) => input.constant === undefined);
  const [input] = inputs;
  const lengths = input?.shape?.slice(1);
  const fits =
    kind !== "tokens" &&
    inputs.length === 1 &&
    input!.dtype === "float32" &&
    (!lengths ||
      (lengths.length === sampleShape.length &&
        lengths.every((length, axis) => typeof length !== "number" || length === sampleShape[axis])));
  if (fits) return;
  const came = inputs.map(({ name, dtype, shape }) => `${name} ${dtype} [${shape?.join(", ") ?? "?"}]`).join("; ");
  throw new DataError(
    `${onnx}: must take the data's samples, float32 [batch, ${sampleShape.join(", ")}], got a model that takes ${came}.`,
  );
}
