import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { withModelTable } from "../scripts/model-table.ts";

it("docs/models.md lists the models as they are", () => {
  const page = readFileSync(new URL("../docs/models.md", import.meta.url), "utf8");
  expect(page).toContain("<!-- models -->");
  expect(page, "run `npx tsx scripts/models.ts`").toBe(withModelTable(page));
});
