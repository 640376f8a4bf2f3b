import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { coverageTable } from "../scripts/coverage-table.ts";

it("docs/coverage.md lists the operators as they are", () => {
  const page = readFileSync(new URL("../docs/coverage.md", import.meta.url), "utf8");
  expect(page, "run `npx tsx scripts/coverage.ts`").toBe(coverageTable());
});
