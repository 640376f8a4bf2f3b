/**
 * What an experiment is: a published claim, the numbers that go with it, a design for each scale, and the assertions that
 * decide whether the claim was reproduced. One experiment is one file, registered in index.ts.
 */
import type { TrainingData } from "../data/index.ts";
import type { Runtime } from "../runtime/index.ts";
import type { Claim } from "./claims.ts";
import type { Estimate } from "./estimate.ts";
import type { ResultPlot } from "./line-plot.ts";

/** How much is run: "smoke" shows that the experiment works, "small" gives an answer, "full" is what was published. */
export type Scale = "smoke" | "small" | "full";

/** All scales, from the cheapest. */
export const SCALES: readonly Scale[] = ["smoke", "small", "full"];

/** An experiment. `Design` is JSON, whatever the units need to know; `Result` is JSON, what a unit finds. */
export interface Experiment<Design = unknown, Result = unknown> {
  /** Its name on the command line. */
  readonly id: string;
  readonly title: string;
  /** What was published to be true, in a sentence or two. */
  readonly claim: string;
  readonly source: {
    /** Authors, title and year. */
    readonly title: string;
    readonly url: string;
    /** Table, figure or section. */
    readonly where: string;
  };
  readonly published: Published;
  /** Raise it when the code changes what a unit finds: results of other versions are not used. */
  readonly version: number;
  readonly scales: Readonly<Record<Scale, ScalePlan<Design>>>;
  /** Returns what is to be done for one seed, in order. */
  units(design: Design, seed: number): readonly Unit<Result>[];
  /** Turns what all units found into tables, plots and assertions. */
  findings(results: Results<Result>, design: Design): Findings;
}

/** Published numbers, by the name of their row. */
export interface Published {
  /** What was measured, where the numbers are from, and in what they are comparable to ours. */
  readonly note: string;
  readonly numbers: Readonly<Record<string, number>>;
}

/** An experiment at one scale. */
export interface ScalePlan<Design> {
  /** What is done, and how it differs from what was published. */
  readonly description: string;
  /** Seeds are 1, 2, ... up to this number. */
  readonly seeds: number;
  /** Longest time on two cores. */
  readonly minutes: number;
  /** Names of the data sets, as `--data` takes them. */
  readonly data: readonly string[];
  readonly design: Design;
}

/** A piece of work whose result is stored: a run that was stopped goes on behind the last finished one. */
export interface Unit<Result> {
  /** Unique within a seed: lower-case words joined by `-`, parts joined by `/`, such as `resnet20/w8a4-clip`. */
  readonly key: string;
  /** About how long it takes on two cores. */
  readonly seconds: number;
  run(lab: Lab<Result>): Promise<Result>;
}

/** A data set on this machine. */
export interface LocalData {
  /** As recipes name it: `cifar10:path`. */
  readonly set: string;
  /** All of it, opened without options. */
  readonly data: TrainingData;
}

/** What a unit has to work with. */
export interface Lab<Result = unknown> {
  readonly seed: number;
  readonly runtime: Runtime;
  readonly signal: AbortSignal;
  /** Folder for files that the units of this seed share, such as trained networks. */
  readonly folder: string;
  /** Returns one of the scale's data sets. */
  dataSet(name: string): LocalData;
  /** Returns what an earlier unit of the same seed found. */
  result(key: string): Result;
  /** Says how much of the unit is done, and what is to be seen so far. */
  progress(fraction: number, text?: string): void;
  /** Adds the time of the work that the unit goes on from, done before an interruption. */
  spentBefore(seconds: number): void;
}

/** What all units found. */
export interface Results<Result> {
  readonly seeds: readonly number[];
  /** Returns what the units of that key found, in the order of seeds; only the seeds that have such a unit. */
  of(key: string): readonly Result[];
}

/** What is reported. */
export interface Findings {
  readonly tables: readonly ResultTable[];
  readonly plots: readonly ResultPlot[];
  readonly claims: readonly Claim[];
  /** Sentences a reader must know to judge the numbers. */
  readonly notes: readonly string[];
}

/** A cell of a table: text, a number, a mean with its standard error, or null where there is nothing. */
export type ResultCell = string | number | Estimate | null;

/** A table of results, ours beside the published. */
export interface ResultTable {
  readonly title: string;
  readonly note?: string;
  readonly columns: readonly {
    /** Key in the rows. */
    readonly key: string;
    readonly header: string;
    /** Decimals of numbers. Default 2. */
    readonly digits?: number;
  }[];
  readonly rows: readonly Readonly<Record<string, ResultCell>>[];
}
