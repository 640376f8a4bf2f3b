import { expect, test } from "vitest";
import { headSavings } from "./head-savings.ts";
import { madeData } from "./made-data.cases.ts";
import { parseRecipe } from "./parse-recipe.ts";
import { planTraining } from "./plan-training.ts";
import type { RecipeInput } from "./recipe.ts";

function savings(head: RecipeInput["model"]["head"], keys: Partial<RecipeInput> = {}, classes = 10) {
  const model = { name: "mlp", width: 0.25, head } as RecipeInput["model"];
  const recipe = parseRecipe({ model, data: { set: "made" }, epochs: 1, batch: { size: 20 }, ...keys }, "r");
  const data = madeData({ classes });
  return headSavings(recipe, data, planTraining(recipe, data));
}

test("the parameters are the matrix less the scale, and their slots go with them", () => {
  expect(savings({ kind: "orthogonal" })).toMatchObject({
    features: 64,
    parameters: 639,
    headBytes: 0,
    optimizerBytes: 4 * 639,
  });
  expect(savings({ kind: "hadamard" }, { optimizer: { kind: "adam" } })).toMatchObject({
    parameters: 639,
    headBytes: 2560,
    optimizerBytes: 2 * 4 * 639,
  });
  expect(savings({ kind: "hadamard", scale: 1, bias: false })).toMatchObject({ parameters: 650 });
  expect(savings({ kind: "linear" })).toBeUndefined();
  expect(savings({ kind: "cosine" })).toBeUndefined();
  expect(savings(undefined)).toBeUndefined();
});

test("a fast product saves work for every sample, a gradient that is not taken does in every step", () => {
  const model = { name: "mlp", width: 8, depth: 1, head: { kind: "hadamard" } } as const;
  expect(savings(undefined, { model }, 1000)).toMatchObject({
    features: 2048,
    classes: 1000,
    multiplyAdds: 2_048_000 - 22_528,
    weightGradientMultiplyAdds: 20 * 2_048_000,
  });
});
