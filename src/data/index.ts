/** Data: arrays and pictures in memory, data sets, and their way into a model. Nothing here reads files. */

export type { Augmentation, BatchAugmentation } from "./augmentation.ts";
export { type FeedSource, feedSource, type SampleBatch, sampleBatches } from "./batches.ts";
export {
  CIFAR_10,
  CIFAR_100,
  CIFAR_SIDE,
  type CifarLayout,
  cifarLabel,
  cifarPixels,
  cifarRecordCount,
} from "./cifar.ts";
export { type ColorJitterOptions, colorJitter } from "./color-jitter.ts";
export { gunzipIfPacked } from "./compressed.ts";
export { type CropAndFlipOptions, cropAndFlip } from "./crop-and-flip.ts";
export { type CutoutOptions, cutout } from "./cutout.ts";
export { type Dataset, datasetFromArrays, limitSamples, type Sample, selectSamples } from "./dataset.ts";
export { type BatchFeeds, type SampleNames, toFeeds } from "./feeds.ts";
export { type PictureGeometry, planGeometry } from "./geometry.ts";
export { readIdx } from "./idx.ts";
export { imagenetWordNetIds } from "./imagenet-classes.ts";
export { int64Numbers } from "./int64-numbers.ts";
export { withLabelNoise } from "./label-noise.ts";
export { type MixupOptions, mixup } from "./mixup.ts";
export { describeInput, fixedBatchSize, type ModelInput, type PictureInput, pictureInputOf } from "./model-input.ts";
export { nearestName } from "./nearest-name.ts";
export { NPY_HEADER_LIMIT, type NpyHeader, npyElements, readNpy, readNpyHeader, writeNpy } from "./npy.ts";
export { readNpz, writeNpz } from "./npz.ts";
export { type Pixels, pixelsToTensor } from "./pixels.ts";
export {
  mergePreprocessing,
  type PictureSize,
  PREPROCESSING_FILES,
  type Preprocessing,
  type PreprocessingSettings,
  parsePreprocessing,
  readPreprocessing,
} from "./preprocessing.ts";
export { completePreprocessing, IMAGENET_MEAN, IMAGENET_STD, type StoredPictures } from "./preprocessing-defaults.ts";
export { readSafetensors, type Safetensors, writeSafetensors } from "./safetensors.ts";
export { type SplitSamples, splitSamples, stratifiedSubset } from "./split-samples.ts";
export { stackSamples } from "./stack-samples.ts";
export { standardization } from "./standardization.ts";
export { readStl10Labels, readStl10Pictures, STL10_SIDE } from "./stl10.ts";
export {
  makeVocabulary,
  type TokenUnit,
  tokenize,
  tokenWindows,
  UNKNOWN_TOKEN,
  type Vocabulary,
} from "./text-samples.ts";
export {
  type BatchOptions,
  batchCount,
  type EvaluationBatchOptions,
  evaluationBatches,
  type LastBatch,
  type TrainingBatchOptions,
  trainingBatches,
} from "./training-batches.ts";
export type { Normalization, TrainingData } from "./training-data.ts";
