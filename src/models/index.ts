/** Known networks, built from the layers of nn: what recipes and experiments train. */
export { findModel } from "./find-model.ts";
export type { FamilyOption, ModelDefinition, ModelOptions } from "./model.ts";
export { models } from "./models.ts";
