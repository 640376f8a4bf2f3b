/** The numbers of a run's events as curves: what TensorBoard files and pages show. */
import type { RunEvent } from "../fit/index.ts";

/** One point of a curve; its place is that of its event. */
export interface Scalar {
  /** Name of the curve; what comes before the first slash is its group, such as `loss/test`. */
  readonly tag: string;
  readonly value: number;
}

/** Names of metrics in curves. */
const GROUPS: Readonly<Record<string, string>> = { loss: "loss", top1: "accuracy", top5: "accuracy_top5" };

/**
 * Returns the numbers of an event that make curves, those that are not finite left out: `loss/train` and `accuracy/train`
 * while training, `loss/test` and the like for evaluations (`loss/test_average` for averaged weights), `learning_rate`,
 * `throughput` in samples per second, and `<probe>/<value>`.
 */
export function eventScalars(event: RunEvent): readonly Scalar[] {
  return scalarsOf(event).filter(({ value }) => Number.isFinite(value));
}

function scalarsOf(event: RunEvent): Scalar[] {
  switch (event.type) {
    case "steps":
      return [
        ...Object.entries(event.metrics).map(([name, value]) => ({ tag: `${GROUPS[name] ?? name}/train`, value })),
        { tag: "learning_rate", value: event.learningRate },
        { tag: "throughput", value: event.samplesPerSecond },
      ];
    case "evaluation": {
      // The means over steps are loss/train already; those are of weights that changed meanwhile.
      const split = event.split === "train" ? "train_evaluated" : event.split;
      const part = event.weights === "average" ? `${split}_average` : split;
      return [
        { tag: `loss/${part}`, value: event.loss },
        { tag: `accuracy/${part}`, value: event.top1 },
        ...(event.top5 === undefined ? [] : [{ tag: `accuracy_top5/${part}`, value: event.top5 }]),
      ];
    }
    case "probe":
      return Object.entries(event.values).map(([name, value]) => ({ tag: `${event.name}/${name}`, value }));
    default:
      return [];
  }
}
