import { describe, expect, it } from "vitest";
import { batchNormOptions } from "./batch-norm-options.ts";
import { parseRecipe } from "./parse-recipe.ts";

const recipe = (normalization: object) => ({
  model: { name: "mlp", normalization },
  data: { set: "mnist:x" },
  epochs: 1,
});

describe("batch norms of recipes", () => {
  it.each([
    ["l1", "l1"],
    ["l3", { p: 3 }],
    ["l1.5", { p: 1.5 }],
    ["l-infinity", "l-infinity"],
    ["top-10", { top: 10 }],
    ["range", "range"],
    ["range-16", { range: 16 }],
    ["none", "none"],
  ])("have the deviation %s", (deviation, expected) => {
    const { model } = parseRecipe(recipe({ kind: "batch", deviation, ghost: 32, constant: 2 }), "test");
    if (!("name" in model) || model.normalization?.kind !== "batch") throw new Error("another recipe");
    expect(batchNormOptions(model.normalization)).toEqual({ deviation: expected, ghost: 32, constant: 2 });
  });

  it("are refused with a deviation that there is not", () => {
    expect(() => parseRecipe(recipe({ kind: "batch", deviation: "top" }), "test")).toThrow(
      "model.normalization.deviation",
    );
  });
});
