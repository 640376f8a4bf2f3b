#!/usr/bin/env node
// In a checkout the sources run, through tsx; the published package has no sources, only what they compile to.
import { existsSync } from "node:fs";

const sources = new URL("../src/cli/main.ts", import.meta.url);
const compiled = new URL("../dist/cli/main.js", import.meta.url);
const inCheckout = existsSync(sources);

if (inCheckout) {
  const { register } = await import("tsx/esm/api");
  register();
}
const { main } = await import((inCheckout ? sources : compiled).href);
process.exitCode = await main(process.argv.slice(2));
