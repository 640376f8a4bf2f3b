/** Progress of long work, on stderr: a bar in a terminal, a line now and then in a log, nothing when not wanted. */
import type { Progress } from "../quantize/index.ts";
import type { OutputStream } from "./command.ts";

/** Shows steps of work. */
export interface ProgressDisplay {
  /** Call as often as there is something to say. */
  readonly update: (progress: Progress) => void;
  /** Removes the bar, so that other text can be written. Always call it in the end. */
  readonly stop: () => void;
}

/** Milliseconds between two lines in a log. */
const LINE_INTERVAL_MS = 5000;

/** Makes the display that suits the stream: bar, lines or nothing. */
export async function createProgress(
  stream: OutputStream,
  options: { readonly quiet?: boolean | undefined },
): Promise<ProgressDisplay> {
  if (options.quiet) return { update: () => {}, stop: () => {} };
  return stream.isTTY ? createBar(stream) : createLines(stream, () => performance.now());
}

async function createBar(stream: OutputStream): Promise<ProgressDisplay> {
  const { default: progressBars } = await import("cli-progress");
  const format = "{stage} [{bar}] {value}/{total} {unit}  {rate}/s  {eta_formatted} left";
  let bar: InstanceType<typeof progressBars.SingleBar> | undefined;
  let stage = "";
  let started = 0;
  const stop = (): void => {
    bar?.stop();
    bar = undefined;
    stage = "";
  };
  const update = (progress: Progress): void => {
    if (progress.total === undefined) return;
    if (progress.stage !== stage) {
      stop();
      stage = progress.stage;
      started = performance.now();
      bar = new progressBars.SingleBar(
        { format, stream: stream as NodeJS.WriteStream, hideCursor: true, clearOnComplete: true, barsize: 30 },
        progressBars.Presets.shades_classic,
      );
      bar.start(progress.total, 0, { stage: stage.padEnd(10), unit: progress.unit, rate: "-" });
    }
    const seconds = (performance.now() - started) / 1000;
    bar?.setTotal(progress.total);
    bar?.update(progress.done, { rate: formatRate(progress.done, seconds) });
    if (progress.done >= progress.total) stop();
  };
  return { update, stop };
}

/** A line when a stage begins, every few seconds after that, and when it ends. Exported for its test. */
export function createLines(stream: OutputStream, clockMs: () => number): ProgressDisplay {
  let stage = "";
  let finished = false;
  let startedMs = 0;
  let lastMs = 0;
  const update = ({ stage: name, done, total, unit }: Progress): void => {
    const now = clockMs();
    if (name !== stage) {
      stage = name;
      finished = false;
      startedMs = lastMs = now;
    } else if (finished) return;
    finished = total !== undefined && done >= total;
    if (!finished && now - lastMs < LINE_INTERVAL_MS) return;
    lastMs = now;
    const seconds = (now - startedMs) / 1000;
    const of = total === undefined ? "" : `/${total}`;
    stream.write(`${name}: ${done}${of} ${unit}, ${seconds.toFixed(1)} s, ${formatRate(done, seconds)}/s\n`);
  };
  return { update, stop: () => {} };
}

function formatRate(done: number, seconds: number): string {
  if (seconds <= 0) return "-";
  const rate = done / seconds;
  return rate >= 100 ? rate.toFixed(0) : rate.toPrecision(2);
}
