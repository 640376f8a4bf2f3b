/** Plots with one mark per model. */
import { formatBytes, formatFixed } from "../format.ts";
import type { Html } from "../html.ts";
import { openDrawing } from "./draw.ts";

/** A model as a point. */
export interface ModelPoint {
  readonly label: string;
  readonly sizeBytes: number;
  /** Percent. */
  readonly accuracy: number;
  /** Percent; null when not known. */
  readonly standardError: number | null;
  /** Simulated models are drawn hollow: they are not files one can ship at that size. */
  readonly deployable: boolean;
}

/** Returns bars of model sizes, the first in grey as the reference. */
export async function sizePlot(
  models: readonly { readonly label: string; readonly sizeBytes: number }[],
): Promise<Html> {
  const { Plot, draw } = await openDrawing();
  const largest = Math.max(...models.map((model) => model.sizeBytes), 1);
  return draw({
    ariaLabel: `File sizes: ${models.map((model) => `${model.label} ${formatBytes(model.sizeBytes)}`).join(", ")}`,
    width: 400,
    height: 24 + 46 * models.length,
    marginLeft: 8,
    marginRight: 64,
    marginTop: 12,
    marginBottom: 4,
    x: { axis: null, domain: [0, largest] },
    y: { axis: null, domain: models.map((_, i) => i), padding: 0.55 },
    marks: [
      Plot.barX(models, {
        x: "sizeBytes",
        y: (_: unknown, i: number) => i,
        fill: (_: unknown, i: number) => (i === 0 ? "var(--series-0)" : "var(--series-1)"),
        rx: 2,
      }),
      Plot.text(models, {
        x: "sizeBytes",
        y: (_: unknown, i: number) => i,
        dx: 6,
        textAnchor: "start",
        text: ({ sizeBytes }: { sizeBytes: number }) => formatBytes(sizeBytes),
        fill: "var(--text)",
        fontWeight: 650,
      }),
      Plot.text(models, {
        x: () => 0,
        y: (_: unknown, i: number) => i,
        dy: -19,
        textAnchor: "start",
        text: ({ label }: { label: string }) => shorten(label, 52),
      }),
    ],
  });
}

/** Returns a scatter of accuracy against bytes with one standard error each way; up and left is better. */
export async function accuracySizePlot(models: readonly ModelPoint[]): Promise<Html> {
  const { Plot, draw } = await openDrawing();
  const colour = (model: ModelPoint, i: number): string =>
    i === 0 ? "var(--series-0)" : model.deployable ? "var(--series-1)" : "var(--series-4)";
  const low = (model: ModelPoint): number => model.accuracy - (model.standardError ?? 0);
  const high = (model: ModelPoint): number => model.accuracy + (model.standardError ?? 0);
  const span = Math.max(...models.map(high)) - Math.min(...models.map(low)) || 1;
  const largest = Math.max(...models.map((model) => model.sizeBytes));
  const megabytes = (model: ModelPoint): number => model.sizeBytes / 1e6;
  return draw({
    ariaLabel: `Accuracy against size: ${models.map((model) => `${model.label} ${formatFixed(model.accuracy, 1)} % at ${formatBytes(model.sizeBytes)}`).join("; ")}`,
    width: 400,
    height: 290,
    marginLeft: 48,
    marginRight: 20,
    marginTop: 22,
    marginBottom: 40,
    x: { domain: [0, (largest / 1e6) * 1.08], label: "megabytes", ticks: 5, tickSize: 4 },
    y: {
      domain: [
        Math.max(0, Math.min(...models.map(low)) - 0.15 * span),
        Math.min(100, Math.max(...models.map(high)) + 0.2 * span),
      ],
      label: "top-1, %",
      ticks: 5,
      tickSize: 0,
      grid: true,
    },
    marks: [
      Plot.ruleX(models, { x: megabytes, y1: low, y2: high, stroke: colour, strokeWidth: 1.5 } as object),
      Plot.dot(models, {
        x: megabytes,
        y: "accuracy",
        r: 5,
        fill: (model: ModelPoint, i: number) => (model.deployable ? colour(model, i) : "var(--raised)"),
        stroke: colour,
        strokeWidth: 2,
        title: (model: ModelPoint) => `${model.label}: ${formatFixed(model.accuracy, 2)} %`,
      } as object),
      ...(["start", "end"] as const).map((side) =>
        Plot.text(
          placeLabels(models, largest, span / 15).filter((label) => label.side === side),
          {
            x: "megabytes",
            y: "y",
            dx: side === "start" ? 9 : -9,
            textAnchor: side,
            text: "text",
            stroke: "var(--raised)",
            strokeWidth: 3,
            fill: "var(--text)",
          },
        ),
      ),
    ],
  });
}

/** Puts each label beside its point, towards the middle of the plot, and pushes labels down until none covers another. */
function placeLabels(models: readonly ModelPoint[], largest: number, gap: number) {
  const lowest = { start: Number.POSITIVE_INFINITY, end: Number.POSITIVE_INFINITY };
  return [...models]
    .sort((a, b) => b.accuracy - a.accuracy)
    .map((model) => {
      const side = model.sizeBytes > 0.5 * largest ? "end" : "start";
      const y = Math.min(model.accuracy, lowest[side] - gap);
      lowest[side] = y;
      return { side, y, megabytes: model.sizeBytes / 1e6, text: shorten(model.label, 30) } as const;
    });
}

function shorten(text: string, most: number): string {
  const characters = [...text];
  return characters.length <= most ? text : `…${characters.slice(characters.length - most + 1).join("")}`;
}
