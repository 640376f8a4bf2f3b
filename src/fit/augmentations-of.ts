/** What a recipe does to training samples at random. */
import {
  type Augmentation,
  type BatchAugmentation,
  colorJitter,
  cropAndFlip,
  cutout,
  mixup,
  type Normalization,
} from "../data/index.ts";
import { OptionError } from "../errors.ts";
import type { DataFacts } from "./build-network.ts";
import type { Recipe } from "./recipe.ts";

/** Changes of single samples, then one of whole batches. */
export interface Augmentations {
  readonly augment: readonly Augmentation[];
  readonly augmentBatch: BatchAugmentation | undefined;
}

type Step = Recipe["data"]["augment"][number];

/**
 * Returns the augmentations of a recipe.
 *
 * @throws OptionError if one is not for this kind of data, or mixup is not the last and only one of its kind.
 */
export function augmentationsOf(recipe: Recipe, data: Pick<DataFacts, "kind" | "normalization">): Augmentations {
  const steps = recipe.data.augment;
  const normalization = recipe.data.normalization ?? data.normalization;
  for (const [index, { kind }] of steps.entries()) {
    const key = `recipe: data.augment.${index}`;
    const isFit = data.kind === "pictures" || (data.kind === "features" && kind === "mixup");
    if (!isFit) throw new OptionError(`${key}: must be for ${data.kind}, got "${kind}". Leave it out.`);
    if (kind === "mixup" && index < steps.length - 1) {
      throw new OptionError(`${key}: mixup must come last, got "${steps[index + 1]!.kind}" after it.`);
    }
  }
  const last = steps.at(-1);
  const single = last?.kind === "mixup" ? steps.slice(0, -1) : steps;
  return {
    augment: inOnePass(single).map((step) => (typeof step === "function" ? step : augmentationOf(step, normalization))),
    augmentBatch: last?.kind === "mixup" ? mixup({ alpha: last.alpha }) : undefined,
  };
}

/** A crop with a flip behind it moves each row once. */
function inOnePass(steps: readonly Step[]): (Step | Augmentation)[] {
  return steps.flatMap((step, index) => {
    if (step.kind === "flip" && steps[index - 1]?.kind === "crop") return [];
    const isPair = step.kind === "crop" && steps[index + 1]?.kind === "flip";
    return [isPair ? cropAndFlip({ padding: step.padding, flip: true }) : step];
  });
}

function augmentationOf(step: Step, normalization: Normalization | undefined): Augmentation {
  switch (step.kind) {
    case "crop":
      return cropAndFlip({ padding: step.padding, flip: false });
    case "flip":
      return cropAndFlip({ padding: 0, flip: true });
    case "colour": {
      const { brightness, contrast, saturation } = step;
      return colorJitter({ brightness, contrast, saturation });
    }
    case "cutout": {
      // The mean, as in the paper: 0 after normalization.
      const fill = normalization ? normalization.mean.map((mean) => mean / normalization.scale) : 0;
      return cutout({ size: step.size, fill });
    }
    case "mixup":
      throw new Error("internal: mixup is an augmentation of batches.");
  }
}
