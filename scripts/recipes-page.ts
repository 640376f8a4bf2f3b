/** Brings the tables of docs/recipes.md up to date: `npx tsx scripts/recipes-page.ts`. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { withRecipeTables } from "./recipe-tables.ts";

const file = fileURLToPath(new URL("../docs/recipes.md", import.meta.url));
writeFileSync(file, withRecipeTables(readFileSync(file, "utf8")));
console.log(`wrote ${file}`);
