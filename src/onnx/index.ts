/** The ONNX file format: reading and writing programs. */
export type { ExternalDataSource } from "./external-data.ts";
export { type ExternalFile, type ModelFile, modelSizeBytes } from "./model-file.ts";
