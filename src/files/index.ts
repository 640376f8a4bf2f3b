/** Files on disk (Node only): models, data sets, atomic writing. */
export { makeFolder, type NewFile, writeFileAtomically, writeFilesAtomically } from "./atomic-write.ts";
export type { Split } from "./binary-folder.ts";
export {
  type DataFile,
  type DataParts,
  type DataSource,
  type DataSourceOptions,
  dataSources,
} from "./datasets/index.ts";
export { decodePicture, isPictureName, PICTURE_ENDINGS } from "./decode-picture.ts";
export { describeRun } from "./describe-run.ts";
export { encodePng } from "./encode-picture.ts";
export { externalFromFolder } from "./external-folder.ts";
export { findPreprocessing } from "./find-preprocessing.ts";
export { assertNotInput, type LoadedModel, readModelFile, writeModelFile } from "./model.ts";
export { type OpenDatasetOptions, type OpenedDataset, openDataset } from "./open-dataset.ts";
export { openRecipeData } from "./open-recipe-data.ts";
export {
  type OpenTrainingDataOptions,
  openTrainingData,
  type ReadDataSource,
  readDataSource,
} from "./open-training-data.ts";
export { pathKind } from "./read-file.ts";
export {
  createRun,
  type FoundCheckpoint,
  findRuns,
  isRun,
  type LockHolder,
  openRun,
  type RunDescription,
  type RunFolder,
  type RunRecord,
  readRun,
} from "./run-folder/index.ts";
export { removeFile, workFile } from "./work-file.ts";
