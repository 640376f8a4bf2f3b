/** The work of `modicum rounding`: what few bits do to each tensor of a run's network. */
import { DataError, OptionError } from "../errors.ts";
import { openRecipeData, readRun } from "../files/index.ts";
import {
  planTraining,
  probeCheckpoint,
  quantizationAngles,
  type RankedAngle,
  type Recipe,
  type RecipeInput,
  rankAngles,
} from "../fit/index.ts";
import { type Column, formatFixed, textTable } from "../report/index.ts";
import type { RoundingCommandOptions } from "./commands/rounding.ts";
import { importedModelOf } from "./fine-tune.ts";
import { precisionText } from "./precision-text.ts";
import { changedRecipe } from "./recipe-flags.ts";
import { chooseRuntime } from "./runtime-choice.ts";

/** A tensor of a layer and what rounding did to it. */
export interface LayerRounding {
  readonly layer: string;
  /** `weight`, `activation`, `gradient` or `weightGradient`: the copy of the gradient that weights get theirs from. */
  readonly tensor: string;
  /** Between the tensor and its codes, NaN where numbers are too large to square; and the same as it is expected of Gaussian numbers. */
  readonly cosine: number;
  readonly predictedCosine: number;
  /** The same as angles, in degrees. */
  readonly angle: number;
  readonly predictedAngle: number;
  /** Percent of the numbers that were clipped. */
  readonly saturated: number;
  /** Percent of the numbers that are not 0 and became 0. */
  readonly underflow: number;
}

/** What was measured, and where. */
export interface RoundingOutcome {
  readonly run: string;
  /** Of the checkpoint. */
  readonly step: number;
  /** As a recipe says it: the run's, with the changes that were asked for. */
  readonly precision: Recipe["precision"];
  /** Whether the run was trained in it. */
  readonly isTrained: boolean;
  /** Those that rounding turns most first. */
  readonly tensors: readonly LayerRounding[];
  /** Products in few bits, and layers in float; for people. */
  readonly products: string;
}

/**
 * Measures at the last checkpoint of a run, on the batch of its last step.
 *
 * @throws DataError if there is no checkpoint yet, or the run is in float64. OptionError if another key than those of the precision
 * is changed. FileError, DataError if run or data cannot be read.
 */
export async function measureRounding(path: string, options: RoundingCommandOptions): Promise<RoundingOutcome> {
  const { description, latestCheckpoint } = await readRun(path);
  const stored = description.recipe;
  const { kind } = stored.precision;
  if (kind === "float64") {
    throw new DataError(`${path}: must be a run in float32 or int8, got float64. Train it again in one of these.`);
  }
  const other = options.set?.find(([key]) => !key.startsWith("precision."));
  if (other) throw new OptionError(`rounding: --set must be of a key of precision, got ${other[0]}.`);
  const changes = {
    precision: "int8",
    ...(options.data && { data: options.data }),
    ...(options.set && { set: options.set }),
  };
  const recipe = changedRecipe(stored as RecipeInput, changes, path);
  const found = await latestCheckpoint();
  if (!found) throw new DataError(`${path}: must have a checkpoint to measure at, got none yet.`);
  const data = await openRecipeData(recipe);
  if (data.fingerprint !== description.dataFingerprint) {
    throw new DataError(
      `${recipe.data.set}: must be the data that ${path} was started with (${description.dataDescription}), got others.`,
    );
  }
  const plan = planTraining(recipe, data, { importedModel: await importedModelOf(recipe) });
  const runtime = await chooseRuntime({});
  const values = await probeCheckpoint({ plan, checkpoint: found.checkpoint, probe: quantizationAngles(), runtime });
  return {
    run: path,
    step: found.checkpoint.progress.step,
    precision: recipe.precision,
    isTrained: JSON.stringify(recipe.precision) === JSON.stringify(stored.precision),
    tensors: rankAngles(values).map(layerRounding),
    products: precisionText(plan.step)!,
  };
}

function layerRounding({ tensor: name, angle, predicted, saturated, underflow }: RankedAngle): LayerRounding {
  const dot = name.lastIndexOf(".");
  const degrees = (radians: number): number => (180 * radians) / Math.PI;
  return {
    layer: name.slice(0, dot),
    tensor: name.slice(dot + 1),
    cosine: Math.cos(angle),
    predictedCosine: Math.cos(predicted),
    angle: degrees(angle),
    predictedAngle: degrees(predicted),
    saturated: 100 * saturated,
    underflow: 100 * underflow,
  };
}

const fixed = (decimals: number) => (value: number) => formatFixed(value, decimals);

const COLUMNS: readonly Column<LayerRounding>[] = [
  { header: "layer", value: ({ layer }) => layer },
  { header: "tensor", value: ({ tensor }) => tensor },
  { header: "cosine", value: ({ cosine }) => cosine, format: fixed(6) },
  { header: "predicted", value: ({ predictedCosine }) => predictedCosine, format: fixed(6) },
  { header: "angle °", value: ({ angle }) => angle, format: fixed(3) },
  {
    header: "x predicted",
    value: ({ angle, predictedAngle }) => (predictedAngle > 0 ? angle / predictedAngle : null),
    format: fixed(2),
  },
  { header: "clipped %", value: ({ saturated }) => saturated, format: fixed(3) },
  { header: "became 0 %", value: ({ underflow }) => underflow, format: fixed(2) },
];

/** Returns the outcome as a table for people. */
export function roundingText({ run, step, isTrained, products, tensors }: RoundingOutcome): string {
  const would = isTrained ? "" : " The run was not trained so: this is what would come of its next step.";
  return `${run}, step ${step}: ${products}.${would}\n\n${textTable(COLUMNS, tensors)}`;
}
