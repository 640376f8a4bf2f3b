/** Learning what quantization rounds: by our own training engine, from a few hundred samples without labels. */
export { type Block, findBlocks } from "./blocks.ts";
export { contactSheet } from "./contact-sheet.ts";
export { type DistillationOptions, type DistillationRates, distillation } from "./distillation.ts";
export { type LearnedRoundingOptions, learnedRounding } from "./learned-rounding.ts";
export { type SynthesisOptions, type SynthesizedPictures, synthesizePictures } from "./picture-synthesis.ts";
export type { LearningRates } from "./reconstruct-block.ts";
export { defaultRefinements, refinements } from "./refinements.ts";
