/**
 * Runs ONNX's own operator cases (../shared/data) and writes down those that do not pass, with the reason, for docs/coverage.md
 * and test/conformance.test.ts: `npx tsx scripts/conformance.ts`.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { nodeRuntime } from "../src/runtime/node.ts";
import { judgeCase } from "../test/support/conformance-case.ts";
import { onnxNodeTests } from "../test/support/shared-data.ts";

const files = onnxNodeTests();
if (!files) process.exit(1);
const runtime = await nodeRuntime({ threads: 1 });
const folders = [...files.keys()].filter((file) => file.endsWith("/model.onnx")).sort();
const byReason = new Map<string, string[]>();
for (const file of folders) {
  const folder = file.slice(0, -"/model.onnx".length);
  const { reason } = await judgeCase(files, folder, runtime);
  if (reason) byReason.set(reason, [...(byReason.get(reason) ?? []), folder.replace("node/test_", "")]);
}
const failing = [...byReason.values()].flat().length;
const record = {
  cases: folders.length,
  passing: folders.length - failing,
  exceptions: Object.fromEntries([...byReason].sort()),
};
writeFileSync(
  fileURLToPath(new URL("../test/conformance.json", import.meta.url)),
  `${JSON.stringify(record, null, 2)}\n`,
);
console.log(`${record.passing} of ${record.cases} cases pass`);
