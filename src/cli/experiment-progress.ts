/** Progress of an experiment on stderr: one line that is written over in a terminal, a line now and then in a log. */
import type { ExperimentProgress } from "../experiments/index.ts";
import type { OutputStream } from "./command.ts";

/** Milliseconds between two lines about the same unit in a log, and between two in a terminal. */
const LOG_INTERVAL_MS = 15_000;
const TERMINAL_INTERVAL_MS = 200;

/** Shows where an experiment is. */
export interface ExperimentDisplay {
  readonly update: (progress: ExperimentProgress) => void;
  /** Removes the line from a terminal. Always call it in the end. */
  readonly stop: () => void;
}

/** Makes the display that suits the stream. */
export function showExperiment(
  stream: OutputStream,
  {
    quiet = false,
    clockMs = () => performance.now(),
  }: { readonly quiet?: boolean; readonly clockMs?: () => number } = {},
): ExperimentDisplay {
  if (quiet) return { update: () => {}, stop: () => {} };
  const interval = stream.isTTY ? TERMINAL_INTERVAL_MS : LOG_INTERVAL_MS;
  let number = 0;
  let shownMs = Number.NEGATIVE_INFINITY;
  const update = (progress: ExperimentProgress): void => {
    const now = clockMs();
    if (progress.number === number && now - shownMs < interval) return;
    [number, shownMs] = [progress.number, now];
    const line = describe(progress);
    stream.write(stream.isTTY ? `\r\u001b[K${line}` : `${line}\n`);
  };
  return { update, stop: () => void (stream.isTTY && stream.write("\r\u001b[K")) };
}

function describe({ number, count, seed, unit, text, secondsLeft }: ExperimentProgress): string {
  const left = secondsLeft < 90 ? `${Math.ceil(secondsLeft)} s` : `${Math.round(secondsLeft / 60)} min`;
  return `${number}/${count} seed ${seed} ${unit}${text && `: ${text}`}, about ${left} left`;
}
