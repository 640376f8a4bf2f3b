/** Reports: HTML pages, tables for terminal and Markdown, model cards, folders for transformers.js. Strings out, no files. */
export { type Advice, adviceFor, type WeightBitsFlags } from "./advice.ts";
export type { CellValue, Column } from "./column.ts";
export { type EvaluationReportDetails, evaluationReportHtml } from "./evaluation-report.ts";
export { eventScalars, type Scalar } from "./event-scalars.ts";
export {
  formatBits,
  formatBytes,
  formatCount,
  formatDecibels,
  formatFixed,
  formatMilliseconds,
  formatPercent,
  formatSeconds,
  formatSigned,
  formatValue,
} from "./format.ts";
export { escapeHtml, type Html, type HtmlPart, html, htmlToString, trustedHtml } from "./html.ts";
export { type HtmlTableOptions, htmlTable } from "./html-table.ts";
export { PICTURE_INPUT, renameClassifier, SCORE_OUTPUT } from "./hugging-face/classifier-names.ts";
export {
  type QuantizedForm,
  type TransformersDtype,
  transformersDtype,
  transformersFileName,
} from "./hugging-face/dtype.ts";
export { type CardDetails, modelCard } from "./hugging-face/model-card.ts";
export { type FileContent, type ModelFolderOptions, modelFolder } from "./hugging-face/model-folder.ts";
export { type ModelVariant, variantPath } from "./hugging-face/model-variant.ts";
export { type PreprocessorConfig, preprocessorConfig } from "./hugging-face/preprocessor-config.ts";
export { type QuantizeConfig, quantizeConfig } from "./hugging-face/quantize-config.ts";
export { ladderColumns } from "./ladder-columns.ts";
export { ABLATION_COLUMNS, type AblationRow, EVALUATION_COLUMNS, LAYER_COLUMNS } from "./layer-columns.ts";
export { diagnoseLayers, type LayerDiagnosis, type Remedy } from "./layer-diagnosis.ts";
export { limitsText, widthsText } from "./mixed-precision-section.ts";
export {
  banner,
  details,
  type Fact,
  type FigureParts,
  facts,
  figure,
  figureGrid,
  type KeyNumber,
  keyNumbers,
  type LegendEntry,
  type PageParts,
  page,
  type Section,
  section,
  type Tone,
  tag,
} from "./page.ts";
export type { PictureSheet } from "./picture-section.ts";
export { type Drawing, openDrawing, type PlotLibrary } from "./plots/draw.ts";
export { type HistogramPlotParts, histogramPlot } from "./plots/histogram-plot.ts";
export { errorPlot, layerBitsPlot, layerSqnrPlot, type NumberedLayer } from "./plots/layer-plots.ts";
export { accuracySizePlot, type ModelPoint, sizePlot } from "./plots/model-plots.ts";
export { standaloneSvg } from "./plots/standalone-svg.ts";
export { quantizationReportHtml, type ReportExtras } from "./quantization-report.ts";
export {
  type ReportedRun,
  RUN_COLUMNS,
  type RunFacts,
  type RunSummary,
  summarizeRun,
} from "./runs/reported-run.ts";
export { type RunsPageDetails, runsPageHtml } from "./runs/runs-page.ts";
export { escapeMarkdown, markdownTable, type TextTableOptions, textTable } from "./text-table.ts";
export { evaluationPair, type Verdict, verdict } from "./verdict.ts";
