/** What is shown of a run while it goes: a bar or lines, and a table of the evaluations that grows. */
import type { EvaluationResult, RunEvent, TrainingPlan } from "../fit/index.ts";
import type { OutputStream } from "./command.ts";

/** Shows a run. */
export interface TrainingDisplay {
  readonly onEvent: (event: RunEvent) => void;
  /** Removes the bar, so that other text can be written. Always call it in the end. */
  readonly stop: () => void;
}

/** What the display must know of a run. */
export type ShownPlan = Pick<TrainingPlan, "parts" | "averaging" | "totalSteps" | "stepsPerEpoch" | "batchSize">;

/** A bar, or lines now and then. */
interface Meter {
  readonly update: (state: MeterState) => void;
  /** Writes a line that stays. */
  readonly line: (text: string) => void;
  readonly stop: () => void;
}

interface MeterState {
  readonly step: number;
  readonly epoch: number;
  readonly seconds: number;
  readonly loss: number | undefined;
  readonly top1: number | undefined;
  readonly samplesPerSecond: number;
}

type StepsEvent = Extract<RunEvent, { type: "steps" }>;
type EvaluationEvent = Extract<RunEvent, { type: "evaluation" }>;

/** Seconds of work between two lines in a log. */
const LINE_INTERVAL_SECONDS = 10;

/** Makes the display of a run that suits the stream. */
export async function createTrainingDisplay(
  stream: OutputStream,
  plan: ShownPlan,
  { quiet = false }: { readonly quiet?: boolean | undefined } = {},
): Promise<TrainingDisplay> {
  if (quiet) return { onEvent: () => {}, stop: () => {} };
  return displayOn(stream.isTTY ? await createBar(stream, plan) : createLines(stream, plan), plan);
}

function displayOn(meter: Meter, plan: ShownPlan): TrainingDisplay {
  const table = new EvaluationTable(plan, meter.line);
  return {
    stop: () => {
      table.flush();
      meter.stop();
    },
    onEvent: (event) => {
      if (event.type === "evaluation") {
        table.add(event);
        return;
      }
      table.flush();
      if (event.type !== "steps") return;
      table.addSteps(event);
      const { step, epoch, seconds, metrics, samplesPerSecond } = event;
      meter.update({ step, epoch, seconds, loss: metrics.loss, top1: metrics.top1, samplesPerSecond });
    },
  };
}

/** A column: its title and the cell of one evaluation of all parts. */
interface TableColumn {
  readonly title: string;
  readonly cell: (events: readonly EvaluationEvent[], steps: StepMeans) => string;
}

interface StepMeans {
  readonly loss: number;
  readonly top1: number;
  readonly learningRate: number;
}

/** One row for each evaluation, printed when all parts are measured. */
class EvaluationTable {
  readonly #columns: readonly TableColumn[];
  readonly #line: (text: string) => void;
  #events: EvaluationEvent[] = [];
  #steps: StepsEvent[] = [];
  #lastStep = 0;
  #headerShown = false;

  constructor(plan: ShownPlan, line: (text: string) => void) {
    this.#columns = columnsOf(plan);
    this.#line = line;
  }

  addSteps(event: StepsEvent): void {
    this.#steps.push(event);
  }

  add(event: EvaluationEvent): void {
    this.#events.push(event);
  }

  flush(): void {
    if (this.#events.length === 0) return;
    const widths = this.#columns.map(({ title }) => Math.max(title.length, 7));
    const row = (cells: readonly string[]): string => cells.map((cell, i) => cell.padStart(widths[i]!)).join("  ");
    if (!this.#headerShown) this.#line(row(this.#columns.map(({ title }) => title)));
    this.#headerShown = true;
    const means = meansOf(this.#steps, this.#lastStep);
    this.#line(row(this.#columns.map(({ cell }) => cell(this.#events, means))));
    this.#lastStep = this.#events[0]!.step;
    this.#events = [];
    this.#steps = [];
  }
}

function columnsOf({ parts, averaging }: ShownPlan): TableColumn[] {
  const measured = parts.flatMap(({ split }) => {
    const weights = averaging ? (["last", "average"] as const) : (["last"] as const);
    return weights.map((which): TableColumn => {
      const title = `${split === "train" ? "train sample" : split} top-1${which === "average" ? " averaged" : ""} %`;
      return {
        title,
        cell: (events) => {
          const found = events.find((event) => event.split === split && event.weights === which);
          return found ? `${found.top1.toFixed(2)} ± ${standardError(found).toFixed(2)}` : "-";
        },
      };
    });
  });
  return [
    { title: "epoch", cell: ([event]) => formatEpoch(event!.epoch) },
    { title: "loss", cell: (_, { loss }) => formatNumber(loss, 4) },
    { title: "train top-1 %", cell: (_, { top1 }) => formatNumber(top1, 2) },
    ...measured,
    {
      title: "learning rate",
      cell: (_, { learningRate }) => (Number.isNaN(learningRate) ? "-" : learningRate.toPrecision(2)),
    },
    { title: "seconds", cell: ([event]) => event!.seconds.toFixed(1) },
  ];
}

/** Means over all steps since the last evaluation, each event counted by its steps. */
function meansOf(events: readonly StepsEvent[], from: number): StepMeans {
  let [before, loss, top1] = [from, 0, 0];
  for (const { step, metrics } of events) {
    loss += (step - before) * (metrics.loss ?? Number.NaN);
    top1 += (step - before) * (metrics.top1 ?? Number.NaN);
    before = step;
  }
  const steps = before - from;
  const learningRate = events.at(-1)?.learningRate ?? Number.NaN;
  return { loss: loss / steps, top1: top1 / steps, learningRate };
}

/** Standard error of an accuracy in percent: sqrt(p (1 - p) / n). */
export function standardError({ top1, count }: Pick<EvaluationResult, "top1" | "count">): number {
  const share = top1 / 100;
  return 100 * Math.sqrt((share * (1 - share)) / count);
}

async function createBar(stream: OutputStream, plan: ShownPlan): Promise<Meter> {
  const { default: progressBars } = await import("cli-progress");
  const format = "epoch {epoch} [{bar}] loss {loss}  top-1 {top1} %  {rate} samples/s  {left} left";
  let bar: InstanceType<typeof progressBars.SingleBar> | undefined;
  let last: MeterState | undefined;
  const stop = (): void => {
    bar?.stop();
    bar = undefined;
  };
  const update = (state: MeterState): void => {
    last = state;
    if (!bar) {
      const settings = { format, stream: stream as NodeJS.WriteStream, hideCursor: true, clearOnComplete: true };
      bar = new progressBars.SingleBar({ ...settings, barsize: 24 }, progressBars.Presets.shades_classic);
      bar.start(plan.totalSteps, state.step, shownState(state, plan));
    }
    bar.update(state.step, shownState(state, plan));
  };
  const line = (text: string): void => {
    stop();
    stream.write(`${text}\n`);
    if (last) update(last);
  };
  return { update, line, stop };
}

function createLines(stream: OutputStream, plan: ShownPlan): Meter {
  let lastSeconds: number | undefined;
  const update = (state: MeterState): void => {
    lastSeconds ??= state.seconds;
    if (state.seconds - lastSeconds < LINE_INTERVAL_SECONDS) return;
    lastSeconds = state.seconds;
    const { epoch, loss, top1, rate, left } = shownState(state, plan);
    stream.write(`epoch ${epoch}: loss ${loss}, top-1 ${top1} %, ${rate} samples/s, ${left} left\n`);
  };
  return { update, line: (text) => void stream.write(`${text}\n`), stop: () => {} };
}

function shownState({ step, epoch, loss, top1, samplesPerSecond }: MeterState, plan: ShownPlan) {
  const left = ((plan.totalSteps - step) * plan.batchSize) / samplesPerSecond;
  return {
    epoch: `${epoch.toFixed(2)}/${formatEpoch(plan.totalSteps / plan.stepsPerEpoch)}`,
    loss: formatNumber(loss ?? Number.NaN, 4),
    top1: formatNumber(top1 ?? Number.NaN, 1),
    rate: Math.round(samplesPerSecond),
    left: formatDuration(left),
  };
}

function formatNumber(value: number, digits: number): string {
  return Number.isNaN(value) ? "-" : value.toFixed(digits);
}

function formatEpoch(epoch: number): string {
  return String(Number(epoch.toFixed(2)));
}

/** `1:05:09`, `3:20`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "-";
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const two = (value: number): string => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
