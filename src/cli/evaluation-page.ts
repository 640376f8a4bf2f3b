/** The HTML page of `modicum evaluate --report`. */
import type { ModelEvaluation } from "../evaluate/index.ts";
import {
  accuracySizePlot,
  figure,
  formatBytes,
  formatPercent,
  html,
  htmlTable,
  page,
  sizePlot,
} from "../report/index.ts";
import { evaluationColumns } from "./evaluation-table.ts";

/** What the models were evaluated on and with. */
export interface EvaluationFacts {
  readonly data: string;
  readonly runtime: string;
  readonly version: string;
}

/** Returns a self-contained page: the table, and accuracy against size where there are labels. */
export async function evaluationPage(
  evaluations: readonly ModelEvaluation[],
  { data, runtime, version }: EvaluationFacts,
): Promise<string> {
  const named = evaluations.map((evaluation) => ({ ...evaluation, label: baseName(evaluation.path) }));
  const points = named.flatMap(({ label, sizeBytes, top1, top1StandardError }) =>
    top1 === null ? [] : [{ label, sizeBytes, accuracy: top1, standardError: top1StandardError, deployable: true }],
  );
  const caption = html`<b>${evaluations.length} model${evaluations.length === 1 ? "" : "s"}</b> on ${evaluations[0]?.count} samples of ${data}.`;
  return page({
    title: named.map(({ label }) => label).join(", "),
    eyebrow: "evaluation",
    numbers: named.slice(0, 4).map(({ label, top1, sizeBytes }) => ({
      label,
      value: top1 === null ? formatBytes(sizeBytes) : formatPercent(top1),
      ...(top1 === null ? {} : { note: `top-1, ${formatBytes(sizeBytes)}` }),
    })),
    sections: [
      {
        id: "models",
        title: "Models",
        lead: "Agreement and SQNR are against the first model; latency was measured in turn, one sample at batch 1.",
        body: htmlTable(evaluationColumns(evaluations), evaluations, { caption }),
      },
      {
        id: "plots",
        title: "Size and accuracy",
        body: [
          figure({ title: "Bytes", svg: await sizePlot(named) }),
          points.length > 1 &&
            figure({
              title: "Accuracy against bytes",
              caption: "Up and left is better. Lines: one standard error each way.",
              svg: await accuracySizePlot(points),
            }),
        ],
      },
    ],
    footer: [
      { name: "modicum", value: version },
      { name: "runtime", value: runtime },
      { name: "date", value: new Date().toISOString() },
    ],
  });
}

function baseName(path: string): string {
  return path.split(/[\\/]/).at(-1)!;
}
