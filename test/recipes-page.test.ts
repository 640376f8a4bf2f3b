import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { withRecipeTables } from "../scripts/recipe-tables.ts";
import { parseRecipe } from "../src/fit/index.ts";

const page = readFileSync(fileURLToPath(new URL("../docs/recipes.md", import.meta.url)), "utf8");

describe("docs/recipes.md", () => {
  it("has the keys and recipes that there are (npx tsx scripts/recipes-page.ts)", () => {
    expect(withRecipeTables(page)).toBe(page);
    expect(page).toContain("| `optimizer.momentum` (`sgd`, `rmsprop`) |");
  });

  it("shows a recipe that is one", () => {
    const [, json] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
    expect(parseRecipe(JSON.parse(json!), "docs/recipes.md").model).toEqual({ name: "resnet20", width: 2 });
  });
});
