/** Lowering operators that have several forms: the fastest for the shape, by measurement. */
import type { Lowering } from "../lowering.ts";
import { convInputGradient } from "./conv-input-gradient.ts";
import { convWeightGradient } from "./conv-weight-gradient.ts";
import { defaultTable } from "./default-tables.ts";
import type { Alternatives } from "./form.ts";
import { rankedForms } from "./lowering-table.ts";

/** The list of all operators with several forms: the one place where one is registered. */
export const alternatives: readonly Alternatives[] = [convInputGradient, convWeightGradient];

/** Lowerings of these operators. */
export const chosenForms: Readonly<Record<string, Lowering>> = Object.fromEntries(
  alternatives.map((one) => [one.operator, choosing(one)]),
);

function choosing({ operator, forms, shapeOf }: Alternatives): Lowering {
  return (node, ops, target) => {
    const table = target.table ?? defaultTable(target.device);
    const ranked = rankedForms(table, operator, shapeOf(node, ops)) ?? [];
    // Forms that were not measured come last, in the order in which they are listed: the last can compute all.
    for (const name of [...ranked, ...Object.keys(forms)]) {
      const results = forms[name]?.(node, ops, target);
      if (results) return results;
    }
    return undefined;
  };
}
