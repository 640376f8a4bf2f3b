/**
 * Writes a run that was interrupted and went on, for `tensorboard_reads.py` to compare what TensorBoard reads with:
 * `npx tsx test/resume/tensorboard.node.ts FOLDER && python test/resume/tensorboard_reads.py FOLDER` (pip install tensorboard).
 */
import { appendFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRun, openRun } from "../../src/files/index.ts";
import {
  MADE_DESCRIPTION,
  madeCheckpoint,
  madeEvaluation,
  madePosition,
  madeSteps,
} from "../../src/files/run-folder/made-run.cases.ts";
import type { RunEvent } from "../../src/fit/index.ts";
import { eventScalars } from "../../src/report/index.ts";

const folder = process.argv[2]!;
const path = join(folder, "run");
const tensorBoard = join(path, "tensorboard");

function eventsOf(step: number): RunEvent[] {
  const probe: RunEvent = { ...madePosition(step), type: "probe", name: "norms", values: { weight: step / 3 } };
  return [madeSteps(step), ...(step % 10 === 0 ? [madeEvaluation(step)] : []), probe];
}

const first = await createRun(path, MADE_DESCRIPTION);
for (let step = 1; step <= 40; step++) {
  for (const event of eventsOf(step)) await first.onEvent(event);
  if (step === 30) await first.saveCheckpoint(madeCheckpoint(step), "last");
}
await first.close();
// The first bytes of a record, as a kill leaves them.
appendFileSync(join(tensorBoard, readdirSync(tensorBoard)[0]!), Buffer.from([33, 0, 0, 0, 0, 0, 0, 0, 1, 123, 236]));

const second = await openRun(path);
await second.rewindTo(30);
for (let step = 31; step <= 50; step++) for (const event of eventsOf(step)) await second.onEvent(event);
await second.close();

const expected: Record<string, [number, number][]> = {};
for (let step = 1; step <= 50; step++) {
  for (const { tag, value } of eventsOf(step).flatMap(eventScalars)) {
    expected[tag] ??= [];
    expected[tag].push([step, Math.fround(value)]);
  }
}
writeFileSync(join(folder, "expected.json"), JSON.stringify(expected));
