import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openRun, readRun } from "../../src/files/index.ts";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../support/engines.ts";
import { differences, trainWithKills } from "./killed-run.ts";

const EPOCHS = 6;

/** What runs compute in, and a variable besides the weights that each must take with it: a slot of AdamW, a range of the step before. */
const RUNS = [
  { precision: "float32", carried: "optimizer.secondMoment." },
  { precision: "int8", carried: "head.inputRange" },
  { precision: "int8", carried: "head.gradientRange" },
] as const;

describeUnless(reasonWithoutOnnxRuntimeNode(), "a run that is killed with SIGKILL and resumed", () => {
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "modicum-resume-"));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  describe.each(["float32", "int8"] as const)("in %s", (precision) => {
    const alone = (): string => join(root, `alone-${precision}`);
    beforeAll(async () => {
      await trainWithKills({ folder: alone(), epochs: EPOCHS, precision, kills: 0, seed: 0 });
    }, 120_000);

    it("ends with the weights and events of one that was left alone, bit for bit", async () => {
      const folder = join(root, `killed-${precision}`);
      const kills = await trainWithKills({ folder, epochs: EPOCHS, precision, kills: 4, seed: 11 });
      expect(kills.some(({ step }) => step > 0)).toBe(true);
      expect(await differences(alone(), folder)).toEqual([]);
      const events = await (await readRun(folder)).events();
      expect(events.at(-1)).toMatchObject({ type: "end", reason: "completed" });
      expect(events.filter(({ type }) => type === "evaluation").length).toBeGreaterThan(8);
    }, 240_000);

    const own = RUNS.filter((run) => run.precision === precision);
    it.each(own)(
      "does not if a $carried is lost on the way: the test would see it",
      async ({ carried }) => {
        const folder = join(root, `damaged-${precision}-${carried}`);
        let dropped = "";
        // Killed once, in the midst of the run: with no step taken yet, there would be nothing to lose.
        for (let seed = 1; dropped === ""; seed++) {
          rmSync(folder, { recursive: true, force: true });
          await trainWithKills({
            folder,
            epochs: EPOCHS,
            precision,
            kills: 1,
            seed,
            afterKill: async () => {
              dropped = await dropVariable(folder, carried);
            },
          });
        }
        const found = await differences(alone(), folder);
        expect(found).toContainEqual(expect.stringMatching(/^last checkpoint: .*weight/));
        expect(found.filter((line) => line.startsWith("event"))).not.toEqual([]);
        expect(found).not.toContainEqual(expect.stringMatching(/^\d+ and \d+ events/));
      },
      240_000,
    );
  });
});

/** Takes the first variable whose path has `part` in it out of the newest checkpoint, if there is one; returns its path. */
async function dropVariable(folder: string, part: string): Promise<string> {
  const run = await openRun(folder);
  try {
    const found = await run.latestCheckpoint();
    if (!found || found.checkpoint.progress.step < 3) return "";
    const { progress, variables } = found.checkpoint;
    // As a resumed run would: else events after the checkpoint would count as events before it, and be there twice.
    await run.rewindTo(progress.step);
    const lost = Object.keys(variables).find((path) => path.includes(part))!;
    const { [lost]: _, ...others } = variables;
    await run.saveCheckpoint({ progress, variables: others }, "last");
    return lost;
  } finally {
    await run.close();
  }
}
