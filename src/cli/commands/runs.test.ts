import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createRun, type RunFolder } from "../../files/index.ts";
import { MADE_DESCRIPTION, madeEvaluation, madePosition, madeSteps } from "../../files/run-folder/made-run.cases.ts";
import { runMain } from "../run-main.cases.ts";

let root: string;
let running: RunFolder;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "modicum-runs-"));
  const created = (day: number): string => `2026-01-0${day}T00:00:00.000Z`;
  const done = await createRun(join(root, "z/first"), { ...MADE_DESCRIPTION, created: created(1) });
  for (const event of [madeSteps(10), madeEvaluation(20), madeEvaluation(30)]) await done.onEvent(event);
  await done.onEvent({ ...madePosition(30), type: "end", reason: "early stopping" });
  await done.close();
  const stopped = await createRun(join(root, "stopped"), { ...MADE_DESCRIPTION, created: created(2) });
  await stopped.onEvent(madeSteps(5));
  await stopped.onEvent({ ...madePosition(5), type: "end", reason: "interrupted" });
  await stopped.close();
  running = await createRun(join(root, "a"), { ...MADE_DESCRIPTION, created: created(3) });
});
afterAll(async () => {
  await running.close();
  rmSync(root, { recursive: true, force: true });
});

it("lists the runs below a folder in the order they began, as a table and as JSON", async () => {
  const { code, stdout, stderr } = await runMain(["runs", root, join(root, "stopped")]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const lines = stdout.trimEnd().split("\n");
  expect(lines).toHaveLength(5);
  expect(lines[2]).toMatch(/first\s+mlp\s+mnist\s+3 \/ 3\s+88\.33\s+3\s+0\.100\s+4\.29 s\s+completed$/);
  expect(lines[3]).toMatch(/stopped\s+mlp\s+mnist\s+0\.5 \/ 3\s+–\s+–\s+0\.200\s+0\.714 s\s+interrupted$/);
  expect(lines[4]).toMatch(/a\s+mlp\s+mnist\s+0 \/ 3\s+–\s+–\s+–\s+0 s\s+running$/);
  const json = JSON.parse((await runMain(["runs", root, "--json"])).stdout);
  expect(json.unreadable).toEqual([]);
  expect(json.runs.map(({ state }: { state: string }) => state)).toEqual(["completed", "interrupted", "running"]);
  expect(json.runs[0]).toMatchObject({ name: join(root, "z/first"), totalEpochs: 3, bestEpoch: 3, lastLoss: 0.1 });
});

it("writes a page, and does not replace one unasked", async () => {
  const page = join(root, "page.html");
  expect((await runMain(["runs", root, "--report", page])).code).toBe(0);
  expect(readFileSync(page, "utf8")).toContain("<h1>3 training runs</h1>");
  const again = await runMain(["runs", root, "--report", page]);
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("Use --force to replace it.") });
  const none = await runMain(["runs", join(root, "z/first/tensorboard"), "--report", join(root, "none.html")]);
  expect(none.stderr).toBe("error: --report: there must be a run to show, got none.\n");
});

it("says that there are none, and which folder is not there", async () => {
  expect((await runMain(["runs", join(root, "z/first/tensorboard")])).stdout).toMatch(/^No runs in .*tensorboard\.\n$/);
  expect(await runMain(["runs", join(root, "nowhere")])).toMatchObject({
    code: 1,
    stderr: `error: ${join(root, "nowhere")}: must be readable, got no such file or folder.\n`,
  });
});

it("leaves out a run that is damaged, and says why", async () => {
  const path = join(root, "damaged");
  const run = await createRun(path, MADE_DESCRIPTION);
  await run.close();
  writeFileSync(join(path, "run.json"), "{}");
  const { code, stdout, stderr } = await runMain(["runs", root, "--json"]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout).unreadable).toEqual([{ path, message: expect.stringContaining("must describe a run") }]);
  expect(stderr).toMatch(/^left out: .*damaged/);
});
