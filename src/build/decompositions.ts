/** The list of all decompositions: the one place where one is registered. */
import { attentions } from "./decompositions/attention.ts";
import type { Decomposition } from "./decompositions/decomposition.ts";
import { elementAccess } from "./decompositions/element-access.ts";
import { embeddings } from "./decompositions/embedding.ts";
import { fouriers } from "./decompositions/fourier.ts";
import { gridSamples } from "./decompositions/grid-sample.ts";
import { pools } from "./decompositions/pools.ts";
import { products } from "./decompositions/products.ts";
import { recurrents } from "./decompositions/recurrent.ts";
import { resizes } from "./decompositions/resize.ts";
import { standardizations } from "./decompositions/standardize.ts";

/**
 * Operators written as simpler ones, by name; those of other domains are written `domain:Operator`. Gradients go through them,
 * and so do devices and element types for which an operator has no kernel.
 */
export const decompositions: Readonly<Record<string, Decomposition>> = {
  ...products,
  ...pools,
  ...resizes,
  ...gridSamples,
  ...attentions,
  ...recurrents,
  ...fouriers,
  ...embeddings,
  ...standardizations,
  ...elementAccess,
};
