/** A run as reports see it, and its summary. */
import type { Recipe, RunEvent } from "../../fit/index.ts";
import type { Column } from "../column.ts";
import { formatFixed, formatSeconds, formatValue } from "../format.ts";

/** A training run that is to be shown. */
export interface ReportedRun {
  /** What the reader knows it by, such as the path of its folder. */
  readonly name: string;
  readonly description: RunFacts;
  readonly events: readonly RunEvent[];
  /** Whether a process is working on it now. */
  readonly isRunning: boolean;
}

/** What is known of a run from its start: the parts of `run.json` that reports show. */
export interface RunFacts {
  readonly recipe: Recipe;
  readonly modicum: string;
  readonly onnxruntime: string;
  readonly node: string;
  readonly commit?: string | undefined;
  readonly dataFingerprint: string;
  readonly dataDescription: string;
  readonly classNames?: readonly string[] | undefined;
  readonly device: string;
  /** ISO 8601. */
  readonly created: string;
}

/** A run in a line. */
export interface RunSummary {
  readonly name: string;
  /** Name of the network, or of the model that was fine-tuned. */
  readonly model: string;
  /** The recipe's `name:path`. */
  readonly data: string;
  /** Passes over the training data so far; may be a fraction. */
  readonly epochs: number;
  /** Passes the recipe asks for. */
  readonly totalEpochs: number;
  /** Percent, of the best evaluation on the part that decides (validation if there is one, else test); null before the first. */
  readonly bestTop1: number | null;
  /** Epoch of that evaluation. */
  readonly bestEpoch: number | null;
  /** Mean training loss of the last steps that were reported; null before the first. */
  readonly lastLoss: number | null;
  /** Seconds of work. */
  readonly seconds: number;
  /** "completed" also when it stopped early or its time was up; "interrupted" when it was stopped or its process ended. */
  readonly state: "running" | "completed" | "interrupted";
}

/** Returns the summary of a run. */
export function summarizeRun({ name, description, events, isRunning }: ReportedRun): RunSummary {
  const { model, data, epochs: totalEpochs } = description.recipe;
  const last = events.at(-1);
  const best = bestEvaluation(events);
  const steps = events.findLast((event) => event.type === "steps");
  const isDone = last?.type === "end" && last.reason !== "interrupted";
  return {
    name,
    model: "onnx" in model ? model.onnx.split(/[\\/]/).at(-1)! : model.name,
    data: data.set,
    epochs: last?.epoch ?? 0,
    totalEpochs,
    bestTop1: best?.top1 ?? null,
    bestEpoch: best?.epoch ?? null,
    lastLoss: steps?.metrics.loss ?? null,
    seconds: last?.seconds ?? 0,
    state: isRunning ? "running" : isDone ? "completed" : "interrupted",
  };
}

/** Columns of a table of runs. */
export const RUN_COLUMNS: readonly Column<RunSummary>[] = [
  { header: "run", value: ({ name }) => name, code: true },
  { header: "model", value: ({ model }) => model },
  { header: "data", value: ({ data }) => data.split(":")[0]!, help: "Name of the data set." },
  {
    header: "epochs",
    value: ({ epochs, totalEpochs }) => `${shortEpoch(epochs)} / ${shortEpoch(totalEpochs)}`,
    align: "right",
  },
  {
    header: "best top-1 %",
    value: ({ bestTop1 }) => bestTop1,
    format: (value) => formatFixed(value, 2),
    help: "Of the best evaluation, on validation samples if there are some, else on test samples.",
  },
  { header: "at epoch", value: ({ bestEpoch }) => bestEpoch, format: shortEpoch },
  {
    header: "last loss",
    value: ({ lastLoss }) => lastLoss,
    format: formatValue,
    help: "Mean over the last steps reported.",
  },
  { header: "time", value: ({ seconds }) => seconds, format: formatSeconds, help: "Seconds of work." },
  { header: "state", value: ({ state }) => state },
];

type EvaluationEvent = Extract<RunEvent, { type: "evaluation" }>;

/** Returns the evaluations on the part of the data that decides which weights are best: validation if there is one, else test. */
export function decidingEvaluations(events: readonly RunEvent[]): readonly EvaluationEvent[] {
  const evaluations = events.filter((event) => event.type === "evaluation");
  const split = (["validation", "test", "train"] as const).find((part) =>
    evaluations.some((event) => event.split === part),
  );
  return evaluations.filter((event) => event.split === split);
}

function bestEvaluation(events: readonly RunEvent[]): EvaluationEvent | undefined {
  return decidingEvaluations(events).reduce<EvaluationEvent | undefined>(
    (best, event) => (best === undefined || event.top1 > best.top1 ? event : best),
    undefined,
  );
}

/** `3`, `2.5`, `0.07`. */
function shortEpoch(epoch: number): string {
  return String(Number(epoch.toFixed(2)));
}
