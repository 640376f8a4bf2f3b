/** Writes docs/coverage.md, the table of operators: `npx tsx scripts/coverage.ts`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { coverageTable } from "./coverage-table.ts";

const file = fileURLToPath(new URL("../docs/coverage.md", import.meta.url));
mkdirSync(fileURLToPath(new URL("../docs/", import.meta.url)), { recursive: true });
writeFileSync(file, coverageTable());
console.log(`wrote ${file}`);
