/** Brings the tables of options in docs/cli.md up to date: `npx tsx scripts/cli-reference.ts`. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { withOptionTables } from "./option-tables.ts";

const file = fileURLToPath(new URL("../docs/cli.md", import.meta.url));
writeFileSync(file, await withOptionTables(readFileSync(file, "utf8")));
console.log(`wrote ${file}`);
