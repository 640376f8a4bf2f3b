/** The list of all gradient rules: the one place where a rule is registered. */
import type { GradientRule } from "../build/index.ts";
import { activations } from "./rules/activations.ts";
import { arithmetic } from "./rules/arithmetic.ts";
import { convolutions } from "./rules/convolutions.ts";
import { marks } from "./rules/marks.ts";
import { products } from "./rules/products.ts";
import { reductions } from "./rules/reductions.ts";
import { shapes } from "./rules/shapes.ts";

/** Gradient rules by the file they are in, then by operator; operators of other domains are written `domain:Operator`. */
export const gradientFamilies: Readonly<Record<string, Readonly<Record<string, GradientRule>>>> = {
  arithmetic,
  activations,
  reductions,
  products,
  convolutions,
  shapes,
  marks,
};

const BY_NAME: ReadonlyMap<string, GradientRule> = new Map(
  Object.values(gradientFamilies).flatMap((family) => Object.entries(family)),
);

/** Returns an operator's gradient rule, or undefined when it has none. */
export function findGradientRule(operator: string, domain: string): GradientRule | undefined {
  return BY_NAME.get(domain === "" ? operator : `${domain}:${operator}`);
}
