/** Reproductions of published results: experiments, and what runs, judges and reports them. */
import { aciq } from "./aciq.ts";
import { baselines } from "./baselines.ts";
import { eightBitTraining } from "./eight-bit-training.ts";
import type { Experiment } from "./experiment.ts";
import { fixedClassifier } from "./fixed-classifier.ts";
import { normMatters } from "./norm-matters.ts";
import { trainLonger } from "./train-longer.ts";

export {
  CLEARLY,
  type Claim,
  type ExperimentVerdict,
  type JudgedClaim,
  judge,
  reasonsOf,
  verdictOf,
} from "./claims.ts";
export { accuracy, type Estimate, estimate, estimateOverSeedsAndSamples, pairedDifference } from "./estimate.ts";
export {
  type Experiment,
  type Findings,
  type Lab,
  type LocalData,
  type Published,
  type ResultCell,
  type Results,
  type ResultTable,
  SCALES,
  type Scale,
  type ScalePlan,
  type Unit,
} from "./experiment.ts";
export { type ExperimentReport, reportExperiment, reportJson } from "./experiment-report.ts";
export { type LinePlotParts, type LinePoint, linePlot, type ResultPlot } from "./line-plot.ts";
export { reportMarkdown, reportText } from "./report-text.ts";
export {
  type Environment,
  type ExperimentProgress,
  type ExperimentRun,
  type RunExperimentOptions,
  resultsOf,
  runExperiment,
} from "./run-experiment.ts";
export { assertReplaceable, writeReport } from "./write-report.ts";

/** The register of experiments: add one here and `modicum reproduce` knows it. */
export const experiments: Readonly<Record<string, Experiment>> = Object.fromEntries(
  [baselines, aciq, normMatters, fixedClassifier, trainLonger, eightBitTraining].map((experiment) => [
    experiment.id,
    experiment as Experiment,
  ]),
);
