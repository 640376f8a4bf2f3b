/** What happens in a run, as one stream of events: progress bars, JSON lines, TensorBoard files and pages all read it. */

/** Where a run is. */
export interface RunPosition {
  /** Steps taken so far. */
  readonly step: number;
  /** Passes over the training data so far; 2.5 is the middle of the third. */
  readonly epoch: number;
  /** Seconds of work, those before a resume too. Taken from a clock that never goes backwards. */
  readonly seconds: number;
}

/** Why a run ended. */
export type EndReason = "completed" | "early stopping" | "time budget" | "interrupted";

/** Which weights were measured: those of the last step, or their moving average. */
export type MeasuredWeights = "last" | "average";

/** Accuracy and loss on a part of the data. */
export interface EvaluationResult {
  /** Mean over the samples. */
  readonly loss: number;
  /** Percent of decisions that are right. */
  readonly top1: number;
  /** Percent of decisions with the right class among the best five; absent below six classes. */
  readonly top5?: number;
  /** Decisions: samples, or tokens. */
  readonly count: number;
  /** Row: true class; column: decision. Absent above 100 classes. */
  readonly confusion?: readonly (readonly number[])[];
}

/** One event. `time` is milliseconds since 1970, for people; order and durations come from the position. */
export type RunEvent = RunPosition & { readonly time: number } & (
    | {
        readonly type: "start";
        /** Whether the run goes on from a checkpoint. */
        readonly resumed: boolean;
        readonly totalSteps: number;
        readonly stepsPerEpoch: number;
        readonly parameterCount: number;
        readonly compileMs: number;
      }
    | {
        readonly type: "steps";
        /** Means over the steps since the last such event: loss, top1 and whatever the step gives. */
        readonly metrics: Readonly<Record<string, number>>;
        readonly learningRate: number;
        readonly samplesPerSecond: number;
      }
    | ({
        readonly type: "evaluation";
        readonly split: "train" | "validation" | "test";
        readonly weights: MeasuredWeights;
      } & EvaluationResult)
    | { readonly type: "probe"; readonly name: string; readonly values: Readonly<Record<string, number>> }
    | { readonly type: "checkpoint"; readonly kind: "last" | "best" }
    | { readonly type: "end"; readonly reason: EndReason }
  );

/** Called with every event, in order; the run waits for it. */
export type OnRunEvent = (event: RunEvent) => void | Promise<void>;
