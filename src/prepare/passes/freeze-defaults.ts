/** Weights that old exporters also list as inputs of the graph: constants after all. */
import type { Pass } from "../pass.ts";

/**
 * Makes constants of initializers that are graph inputs too. Before IR version 4 every initializer had to be listed as an
 * input, and some exporters went on doing so: where all of them are listed, none is meant to be overridden. In a newer
 * model that lists only some, those are real optional inputs and stay.
 */
export const freezeDefaults: Pass = {
  name: "freeze-defaults",
  summary: "Makes constants of weights that are listed as inputs by old exporters.",
  run({ graph, irVersion }) {
    const withDefault = graph.inputs.filter((input) => input.constant);
    const listsAll = graph.initializers.every((value) => graph.inputs.includes(value));
    if (withDefault.length === 0 || (irVersion >= 4 && !listsAll)) return 0;
    graph.inputs = graph.inputs.filter((input) => !input.constant);
    return withDefault.length;
  },
};
