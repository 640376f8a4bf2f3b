/** The ONNX file format: reading and writing programs. */
export { defineFunction } from "./define-function.ts";
export { type ExternalDataSource, externalFromMap } from "./external-data.ts";
export type { ExternalPlacement } from "./external-placement.ts";
export { inlineFunctions } from "./inline-functions.ts";
export { type ExternalFile, type ModelFile, modelSizeBytes } from "./model-file.ts";
export { NEWEST_OPSET, type ReadOptions, readModel } from "./read-model.ts";
export { upgradeOpset } from "./upgrade/upgrade-opset.ts";
export { type WriteOptions, writeModel } from "./write-model.ts";
