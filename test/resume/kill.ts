/** Kills a run many times and compares it with one that was left alone: `npx tsx test/resume/kill.ts --kills 50 --seed 1 [--int8]`. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { differences, trainWithKills } from "./killed-run.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "50" },
    seed: { type: "string", default: "1" },
    int8: { type: "boolean", default: false },
  },
});
const kills = Number(values.kills);
const precision = values.int8 ? "int8" : "float32";
const root = mkdtempSync(join(tmpdir(), "modicum-kill-"));
const epochs = Math.max(6, 2 * kills);
try {
  await trainWithKills({ folder: join(root, "alone"), epochs, precision, kills: 0, seed: 0 });
  const started = performance.now();
  const done = await trainWithKills({
    folder: join(root, "killed"),
    epochs,
    precision,
    kills,
    seed: Number(values.seed),
    afterKill: (count) => void process.stderr.write(`\r${count} of ${kills} kills`),
  });
  process.stderr.write("\n");
  const counts = new Map<string, number>();
  for (const { what } of done) counts.set(what, (counts.get(what) ?? 0) + 1);
  const found = await differences(join(root, "alone"), join(root, "killed"));
  console.log(`${done.length} SIGKILLs in ${9 * epochs} steps, ${Math.round((performance.now() - started) / 1000)} s`);
  console.log(`killed after: ${[...counts].map(([what, count]) => `${what} ${count}`).join(", ")}`);
  console.log(
    found.length === 0 ? "final weights, best weights and events: identical" : `different:\n${found.join("\n")}`,
  );
  process.exitCode = found.length === 0 ? 0 : 1;
} finally {
  rmSync(root, { recursive: true, force: true });
}
