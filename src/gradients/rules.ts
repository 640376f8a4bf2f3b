/** The list of all gradient rules: the one place where a rule is registered. */
import type { GradientRule } from "../build/index.ts";
import { activations } from "./rules/activations.ts";
import { arithmetic } from "./rules/arithmetic.ts";
import { attentions } from "./rules/attention.ts";
import { batchNormalizations } from "./rules/batch-normalization.ts";
import { casts } from "./rules/casts.ts";
import { choices } from "./rules/choices.ts";
import { constants } from "./rules/constants.ts";
import { convolutions } from "./rules/convolutions.ts";
import { cumulative } from "./rules/cumulative.ts";
import { determinants } from "./rules/determinant.ts";
import { dropouts } from "./rules/dropout.ts";
import { einsums } from "./rules/einsum.ts";
import { elementAccess } from "./rules/element-access.ts";
import { elementwise } from "./rules/elementwise.ts";
import { gelus } from "./rules/gelu.ts";
import { indexing } from "./rules/indexing.ts";
import { losses } from "./rules/losses.ts";
import { marks } from "./rules/marks.ts";
import { movement } from "./rules/movement.ts";
import { normalizations } from "./rules/normalization.ts";
import { pools } from "./rules/pools.ts";
import { products } from "./rules/products.ts";
import { recurrents } from "./rules/recurrent.ts";
import { reductions } from "./rules/reductions.ts";
import { resizes } from "./rules/resize.ts";
import { responseNormalizations } from "./rules/response-normalization.ts";
import { shapes } from "./rules/shapes.ts";
import { skipNormalizations } from "./rules/skip-normalization.ts";
import { softmaxes } from "./rules/softmax.ts";
import { embeddings, fouriers } from "./rules/transforms.ts";

/** Gradient rules by the file they are in, then by operator; operators of other domains are written `domain:Operator`. */
export const gradientFamilies: Readonly<Record<string, Readonly<Record<string, GradientRule>>>> = {
  arithmetic,
  activations,
  reductions,
  "batch-normalization": batchNormalizations,
  casts,
  choices,
  constants,
  cumulative,
  determinant: determinants,
  dropout: dropouts,
  "element-access": elementAccess,
  elementwise,
  gelu: gelus,
  losses,
  normalization: normalizations,
  "response-normalization": responseNormalizations,
  "skip-normalization": skipNormalizations,
  softmax: softmaxes,
  products,
  einsum: einsums,
  convolutions,
  pools,
  recurrent: recurrents,
  attention: attentions,
  resize: resizes,
  transforms: { ...fouriers, ...embeddings },
  shapes,
  movement,
  indexing,
  marks,
};

const BY_NAME: ReadonlyMap<string, GradientRule> = new Map(
  Object.values(gradientFamilies).flatMap((family) => Object.entries(family)),
);

/** Returns an operator's gradient rule, or undefined when it has none. */
export function findGradientRule(operator: string, domain: string): GradientRule | undefined {
  return BY_NAME.get(domain === "" ? operator : `${domain}:${operator}`);
}
