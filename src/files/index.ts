/** Files on disk (Node only): models, data sets, atomic writing. */
export { decodePicture, isPictureName, PICTURE_ENDINGS } from "./decode-picture.ts";
export { externalFromFolder } from "./external-folder.ts";
export { findPreprocessing } from "./find-preprocessing.ts";
export { type OpenDatasetOptions, type OpenedDataset, openDataset } from "./open-dataset.ts";
