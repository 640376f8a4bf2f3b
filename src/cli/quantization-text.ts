/** What `modicum quantize` prints. */
import {
  formatBits,
  formatBytes,
  formatFixed,
  formatSeconds,
  ladderColumns,
  limitsText,
  textTable,
  widthsText,
} from "../report/index.ts";
import { evaluationTable } from "./evaluation-table.ts";
import type { QuantizationOutcome } from "./quantize-to-files.ts";

/** Layers printed; the HTML report and `--json` have them all. */
const LAYERS_SHOWN = 40;

/** Returns a quantization for the terminal: layers, sizes, accuracy where it was measured, remarks, files. */
export function quantizationText({ report, evaluations, written }: QuantizationOutcome): string {
  const { input, output, layers, calibration, ladder, mixedPrecision } = report;
  const table = textTable(
    [
      { header: "layer", value: (layer) => layer.name },
      { header: "kind", value: (layer) => layer.kind },
      { header: "weights", value: (layer) => layer.weightBits, format: formatBits },
      { header: "activations", value: (layer) => layer.activationBits, format: formatBits },
      { header: "SQNR dB", value: (layer) => layer.sqnrDb, format: (value) => formatFixed(value, 1) },
      { header: "note", value: (layer) => layer.note ?? "" },
    ],
    layers.slice(0, LAYERS_SHOWN),
  );
  const ratio = formatFixed(output.sizeBytes / input.sizeBytes, 3);
  const kind = report.deployable ? `for ${report.target}` : "simulated: float arithmetic, for research, not smaller";
  return [
    table,
    ...(layers.length > LAYERS_SHOWN ? [`... and ${layers.length - LAYERS_SHOWN} more`] : []),
    "",
    ...(ladder.length > 0 ? [textTable(ladderColumns(ladder), ladder), ""] : []),
    ...(evaluations.length > 0 ? [evaluationTable(evaluations), ""] : []),
    `size         ${formatBytes(input.sizeBytes)} to ${formatBytes(output.sizeBytes)} (${ratio} x), ${kind}`,
    ...(mixedPrecision
      ? [`limits       ${limitsText(mixedPrecision)}`, `widths       ${widthsText(mixedPrecision)}`]
      : []),
    `calibration  ${calibration.source}, ${calibration.samples} samples`,
    `time         ${formatSeconds(report.seconds)}`,
    ...report.remarks.map((remark) => `note         ${remark}`),
    ...written.map((path) => `wrote        ${path}`),
  ].join("\n");
}
