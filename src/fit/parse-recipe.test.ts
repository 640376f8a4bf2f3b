import { describe, expect, it } from "vitest";
import { OptionError } from "../errors.ts";
import { recipeDifferences, withKey } from "./change-recipe.ts";
import { findRecipe } from "./find-recipe.ts";
import { parseRecipe } from "./parse-recipe.ts";
import type { RecipeInput } from "./recipe.ts";
import { recipes } from "./recipes.ts";

const least = { model: { name: "mlp" }, data: { set: "example" }, epochs: 1 };

/** What is said about a recipe with these keys besides the least. */
function complaint(keys: object): string {
  try {
    parseRecipe({ ...least, ...keys }, "mine.json");
  } catch (error) {
    expect(error).toBeInstanceOf(OptionError);
    return (error as Error).message;
  }
  throw new Error("the recipe is accepted");
}

describe("parseRecipe", () => {
  it("fills in every default", () => {
    expect(parseRecipe(least, "mine.json")).toEqual({
      version: 1,
      model: { name: "mlp" },
      data: { set: "example", validation: 0, labelNoise: 0, skipUnreadable: false, augment: [] },
      epochs: 1,
      batch: { size: 128, chunks: 1 },
      optimizer: {
        kind: "sgd",
        momentum: 0.9,
        nesterov: false,
        decoupled: false,
        resetMomentumEachEpoch: false,
        weightDecay: 0,
        groups: [],
      },
      learningRate: 0.1,
      schedule: { kind: "cosine", minimum: 0 },
      warmup: 0,
      loss: { kind: "cross-entropy", labelSmoothing: 0 },
      precision: { kind: "float32" },
      evaluation: { every: 1, batch: 256, trainSamples: 0, norms: false },
      seed: 0,
    });
  });

  it("is JSON: what it gives is read again as the same", () => {
    for (const written of Object.values<RecipeInput>(recipes)) {
      const recipe = parseRecipe(written, "recipe");
      expect(parseRecipe(JSON.parse(JSON.stringify(recipe)), "again")).toEqual(recipe);
    }
  });

  it.each([
    [{ learningrat: 1 }, 'mine.json: learningrat: is no key of a recipe. Did you mean "learningRate"?'],
    [
      { optimizer: { kind: "sgd", nestrov: true } },
      'mine.json: optimizer.nestrov: is no key of a recipe. Did you mean "nesterov"?',
    ],
    [
      { optimizer: { kind: "adam", momentum: 0.9 } },
      "mine.json: optimizer.momentum: is no key of a recipe. Known keys: kind, beta1",
    ],
    [
      { data: { set: "example", augment: [{ kind: "flip" }, { kind: "crop", pading: 2 }] } },
      'mine.json: data.augment.1.pading: is no key of a recipe. Did you mean "padding"?',
    ],
    [{ model: { name: "mlp", dept: 3 } }, 'mine.json: model.dept: is no key of a recipe. Did you mean "depth"?'],
    [
      { model: { onnx: "a.onnx", feature: "x" } },
      'mine.json: model.feature: is no key of a recipe. Did you mean "features"?',
    ],
    [{ optimizer: { kind: "sgd", momentum: 1 } }, "mine.json: optimizer.momentum: must be less than 1, got 1."],
    [{ epochs: 0 }, "mine.json: epochs: must be above 0, got 0."],
    [{ epochs: undefined }, "mine.json: epochs: must be a number, got nothing."],
    [{ learningRate: "fast" }, 'mine.json: learningRate: must be a number, got "fast".'],
    [{ batch: { size: 1.5 } }, "mine.json: batch.size: must be a whole number, got 1.5."],
    [{ batch: { size: 100, chunks: 3 } }, "mine.json: batch.chunks: must divide batch.size, 100, got 3."],
    [
      { schedule: { kind: "cosin" } },
      'mine.json: schedule.kind: must be one of "constant", "step", "multi-step", "cosine"',
    ],
    [{ version: 2 }, "mine.json: version: must be 1, got 2."],
    [{ data: { set: "" } }, 'mine.json: data.set: must be a text that is not empty, got "".'],
    [{ data: 3 }, "mine.json: data: must be an object, got 3."],
    [{ seed: 2 ** 32 }, "mine.json: seed: must be at most 4294967295, got 4294967296."],
    [{ warmup: 1 }, "mine.json: warmup: must be less than epochs, 1, got 1."],
    [
      { optimizer: { kind: "sgd", groups: [{ match: "(" }] } },
      'mine.json: optimizer.groups.0.match: must be a regular expression, got "(".',
    ],
    [
      { optimizer: { kind: "sgd", momentum: 0, nesterov: true } },
      "mine.json: optimizer.nesterov: must be false without momentum",
    ],
    [
      { schedule: { kind: "multi-step", milestones: [3, 2] } },
      "mine.json: schedule.milestones: must increase, got [3,2].",
    ],
    [
      { data: { set: "example", validation: 1.5 } },
      "mine.json: data.validation: must be a share below 1 or a whole number, got 1.5.",
    ],
  ])("says what is wrong with %j", (keys, message) => {
    expect(complaint(keys)).toContain(message);
  });

  it("says all that is wrong at once", () => {
    expect(complaint({ epochs: -1, learningrat: 1, optimizer: { kind: "sgd", momentum: 2 } })).toBe(
      "mine.json: 3 keys must be corrected:\n" +
        "  epochs: must be above 0, got -1.\n" +
        "  optimizer.momentum: must be less than 1, got 2.\n" +
        '  learningrat: is no key of a recipe. Did you mean "learningRate"?',
    );
  });

  it.each([null, 3, "resnet20", []])("refuses %j", (json) => {
    expect(() => parseRecipe(json, "mine.json")).toThrow(/^mine\.json: recipe: must be an object, got /);
  });
});

describe("findRecipe", () => {
  it("finds by name, and suggests what was meant", () => {
    expect(findRecipe("resnet20")).toBe(recipes.resnet20);
    expect(() => findRecipe("resnet-20")).toThrow('got "resnet-20". Did you mean "resnet20"?');
    expect(() => findRecipe("constructor")).toThrow(OptionError);
  });
});

describe("withKey", () => {
  const recipe: RecipeInput = { ...least, optimizer: { kind: "sgd", momentum: 0.5, groups: [{ match: "a" }] } };

  it("changes one key, and not the recipe it is given", () => {
    const before = structuredClone(recipe);
    expect(withKey(recipe, "optimizer.momentum", 0.8)).toEqual({
      ...recipe,
      optimizer: { kind: "sgd", momentum: 0.8, groups: [{ match: "a" }] },
    });
    expect(withKey(recipe, "optimizer.groups.0.match", "b").optimizer!.groups).toEqual([{ match: "b" }]);
    expect(withKey(recipe, "optimizer.groups.1", { match: "b" }).optimizer!.groups).toHaveLength(2);
    expect(withKey(recipe, "clip.norm", 1).clip).toEqual({ norm: 1 });
    expect(recipe).toEqual(before);
  });

  it("drops what belongs to another kind", () => {
    expect(withKey(recipe, "optimizer.kind", "adam").optimizer).toEqual({ kind: "adam" });
    expect(withKey(recipe, "optimizer.kind", "sgd")).toEqual(recipe);
  });

  it("takes keys that every object has like any other", () => {
    const changed = withKey(recipe, "__proto__.polluted", true);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(() => parseRecipe(changed, "mine.json")).toThrow("mine.json: __proto__: is no key of a recipe.");
  });

  it.each([
    ["epochs.count", 'recipe: epochs.count must lead through objects, got 1 before "count".'],
    ["optimizer..momentum", 'recipe: keys must be joined by single dots, got "optimizer..momentum".'],
    ["optimizer.groups.2.match", 'must name a place from 0 to 1 of a list, got "2".'],
  ])("refuses %s", (path, message) => {
    expect(() => withKey(recipe, path, 1)).toThrow(message);
  });
});

describe("recipeDifferences", () => {
  it("names the keys that differ", () => {
    const before = parseRecipe(least, "before");
    const after = parseRecipe(
      { ...least, learningRate: 0.2, data: { set: "example", augment: [{ kind: "flip" }] } },
      "after",
    );
    expect(recipeDifferences(before, after)).toEqual([
      { key: "data.augment.0", before: undefined, after: { kind: "flip" } },
      { key: "learningRate", before: 0.1, after: 0.2 },
    ]);
    expect(recipeDifferences(before, structuredClone(before))).toEqual([]);
  });
});
