import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openRun, readRun } from "../../src/files/index.ts";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../support/engines.ts";
import { differences, trainWithKills } from "./killed-run.ts";

const EPOCHS = 6;

describeUnless(reasonWithoutOnnxRuntimeNode(), "a run that is killed with SIGKILL and resumed", () => {
  let root: string;
  const alone = (): string => join(root, "alone");
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), "modicum-resume-"));
    await trainWithKills({ folder: alone(), epochs: EPOCHS, kills: 0, seed: 0 });
  }, 120_000);
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it("ends with the weights and events of one that was left alone, bit for bit", async () => {
    const folder = join(root, "killed");
    const kills = await trainWithKills({ folder, epochs: EPOCHS, kills: 4, seed: 11 });
    expect(kills.some(({ step }) => step > 0)).toBe(true);
    expect(await differences(alone(), folder)).toEqual([]);
    const events = await (await readRun(folder)).events();
    expect(events.at(-1)).toMatchObject({ type: "end", reason: "completed" });
    expect(events.filter(({ type }) => type === "evaluation").length).toBeGreaterThan(8);
  }, 240_000);

  it("does not if a slot of the optimizer is lost on the way: the test would see it", async () => {
    const folder = join(root, "damaged");
    let dropped = "";
    // Killed once, in the midst of the run: with no step taken yet, there would be nothing to lose.
    for (let seed = 1; dropped === ""; seed++) {
      rmSync(folder, { recursive: true, force: true });
      await trainWithKills({
        folder,
        epochs: EPOCHS,
        kills: 1,
        seed,
        afterKill: async () => {
          dropped = await dropSlot(folder);
        },
      });
    }
    const found = await differences(alone(), folder);
    expect(found).toContainEqual(expect.stringMatching(/^last checkpoint: .*weight/));
    expect(found.filter((line) => line.startsWith("event"))).not.toEqual([]);
  }, 240_000);
});

/** Takes AdamW's mean of squares of one weight out of the newest checkpoint, if there is one; returns its path. */
async function dropSlot(folder: string): Promise<string> {
  const run = await openRun(folder);
  try {
    const found = await run.latestCheckpoint();
    if (!found || found.checkpoint.progress.step < 3) return "";
    const { progress, variables } = found.checkpoint;
    const slot = Object.keys(variables).find((path) => path.startsWith("optimizer.secondMoment."))!;
    const { [slot]: _, ...others } = variables;
    await run.saveCheckpoint({ progress, variables: others }, "last");
    return slot;
  } finally {
    await run.close();
  }
}
