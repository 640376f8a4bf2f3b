/** The list of all gradient cases: the one place where a file of cases is registered. */
import { activationCases } from "./activations.cases.ts";
import { arithmeticCases } from "./arithmetic.cases.ts";
import { attentionCases } from "./attention.cases.ts";
import { choiceCases } from "./choices.cases.ts";
import { convolutionCases } from "./convolutions.cases.ts";
import { cumulativeCases } from "./cumulative.cases.ts";
import { derivedCases } from "./derived.cases.ts";
import { elementwiseCases } from "./elementwise.cases.ts";
import type { GradientCase } from "./gradient-case.ts";
import { indexingCases } from "./indexing.cases.ts";
import { lossCases } from "./losses.cases.ts";
import { movementCases } from "./movement.cases.ts";
import { normalizationCases } from "./normalization.cases.ts";
import { otherCases } from "./others.cases.ts";
import { poolCases } from "./pools.cases.ts";
import { productCases } from "./products.cases.ts";
import { recurrentCases } from "./recurrent.cases.ts";
import { reductionCases } from "./reductions.cases.ts";
import { resizeCases } from "./resize.cases.ts";
import { shapeCases } from "./shapes.cases.ts";
import { softmaxCases } from "./softmax.cases.ts";
import { transformCases } from "./transforms.cases.ts";

/** Cases by the file they are in. */
export const gradientCases: Readonly<Record<string, readonly GradientCase[]>> = {
  arithmetic: arithmeticCases,
  activations: activationCases,
  elementwise: elementwiseCases,
  choices: choiceCases,
  reductions: reductionCases,
  cumulative: cumulativeCases,
  softmax: softmaxCases,
  normalization: normalizationCases,
  losses: lossCases,
  others: otherCases,
  products: productCases,
  convolutions: convolutionCases,
  pools: poolCases,
  shapes: shapeCases,
  movement: movementCases,
  indexing: indexingCases,
  resize: resizeCases,
  recurrent: recurrentCases,
  attention: attentionCases,
  transforms: transformCases,
  derived: derivedCases,
};
