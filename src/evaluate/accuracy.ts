/** Counting right decisions. */
import type { Dataset } from "../data/index.ts";
import { DataError } from "../errors.ts";
import { rankOf, type ScoreLayout, scoreLayout, topClass } from "./class-scores.ts";
import type { SampleOutput } from "./sample-outputs.ts";

/** Accuracy of a classifier, in percent; null without labels, and for models that are no classifiers. */
export interface Accuracy {
  readonly top1: number | null;
  readonly top5: number | null;
  /** sqrt(p (1 - p) / n) of top1, percent. */
  readonly top1StandardError: number | null;
  /** Class with the highest score of each sample; -1 where no score was a number. Null when the model decides nothing. */
  readonly predictions: Int32Array | null;
}

/** Counts right decisions, sample by sample. */
export interface AccuracyCounter {
  /** @throws DataError if labels and output do not fit. */
  add(index: number, output: SampleOutput): void;
  result(): Accuracy;
}

/** Makes a counter for one model. @param where Path of the model, for messages. */
export function accuracyCounter(dataset: Dataset, where: string): AccuracyCounter {
  const predictions = new Int32Array(dataset.count).fill(-1);
  let decides: boolean | undefined;
  let hits1 = 0;
  let hits5 = 0;
  let seen = 0;
  return {
    add(index, output) {
      const layout = scoreLayout(output.shape);
      const isClassifier = layout !== undefined && layout.rowCount === 1;
      if (decides === undefined && dataset.labels && isClassifier) assertLabels(dataset, layout, where);
      decides = isClassifier;
      if (!isClassifier) return;
      predictions[index] = topClass(output, layout);
      const label = dataset.labels?.[index];
      if (label === undefined) return;
      const rank = rankOf(label, output, layout);
      if (rank < 1) hits1++;
      if (rank < 5) hits5++;
      seen++;
    },
    result() {
      if (!decides) return { top1: null, top5: null, top1StandardError: null, predictions: null };
      if (seen === 0) return { top1: null, top5: null, top1StandardError: null, predictions };
      const p = hits1 / seen;
      const top1StandardError = 100 * Math.sqrt((p * (1 - p)) / seen);
      return { top1: (100 * hits1) / seen, top5: (100 * hits5) / seen, top1StandardError, predictions };
    },
  };
}

/** Labels are checked when the number of classes is known, which is after the first run and before the long rest. */
function assertLabels(dataset: Dataset, { classCount }: ScoreLayout, where: string): void {
  const { labels, classNames, description } = dataset;
  const wrong = labels!.findIndex((label) => label < 0 || label >= classCount);
  if (wrong >= 0) {
    throw new DataError(
      `${description}: labels must be 0..${classCount - 1} for ${where}, got ${labels![wrong]} (${dataset.sampleName(wrong)}).`,
    );
  }
  if (classNames && classNames.length !== classCount) {
    throw new DataError(
      `${description}: must have the ${classCount} classes of ${where}, got ${classNames.length} ` +
        `(${classNames.slice(0, 3).join(", ")}${classNames.length > 3 ? ", ..." : ""}). Name the folders by class number, ` +
        "or list all class names in order, one a line, in classes.txt.",
    );
  }
}
