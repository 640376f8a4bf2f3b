/** Brings the table of docs/models.md up to date: `npx tsx scripts/models.ts`. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { withModelTable } from "./model-table.ts";

const file = fileURLToPath(new URL("../docs/models.md", import.meta.url));
writeFileSync(file, withModelTable(readFileSync(file, "utf8")));
console.log(`wrote ${file}`);
