import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { appendFile, mkdir, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunEvent } from "../../fit/index.ts";
import { float32 } from "../../tensor/index.ts";
import { MADE_DESCRIPTION, madeCheckpoint, madeEvaluation, madeSteps } from "./made-run.cases.ts";
import { createRun, openRun, readRun } from "./run-folder.ts";

let root: string;
let count = 0;
const newPath = (): string => join(root, `run-${count++}`);
const checkpointFiles = async (path: string): Promise<string[]> => (await readdir(join(path, "checkpoints"))).sort();
const stepFile = (path: string, step: number, ending: string): string =>
  join(path, "checkpoints", `step-${String(step).padStart(8, "0")}.${ending}`);

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "modicum-run-folder-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Makes a run with checkpoints at these steps and closes it. */
async function runWithCheckpoints(...steps: readonly number[]): Promise<string> {
  const path = newPath();
  const run = await createRun(path, MADE_DESCRIPTION);
  for (const step of steps) {
    await run.onEvent(madeSteps(step));
    await run.saveCheckpoint(madeCheckpoint(step), "last");
  }
  await run.close();
  return path;
}

describe("the folder of a run", () => {
  it("gives back description, events and checkpoints as they were written, bit for bit", async () => {
    const path = newPath();
    const run = await createRun(path, MADE_DESCRIPTION);
    const events: RunEvent[] = [madeSteps(1), madeEvaluation(2)];
    for (const event of events) await run.onEvent(event);
    const checkpoint = madeCheckpoint(2, { epoch: 0, step: 2, top1: 0.1 + 0.2, loss: 5e-324 });
    await run.saveCheckpoint(checkpoint, "best");
    await run.close();
    const record = await readRun(path);
    expect(record.description).toEqual(MADE_DESCRIPTION);
    expect(record.holder).toBeUndefined();
    expect(await record.events()).toEqual(events);
    for (const found of [await record.latestCheckpoint(), await record.bestCheckpoint()]) {
      expect(found?.remarks).toEqual([]);
      expect(found?.checkpoint.progress).toEqual(checkpoint.progress);
      for (const [name, tensor] of Object.entries(checkpoint.variables)) {
        const read = found!.checkpoint.variables[name]!;
        expect([read.dtype, read.shape]).toEqual([tensor.dtype, tensor.shape]);
        expect(bits(read.data)).toEqual(bits(tensor.data));
      }
    }
  });

  it("keeps the last two checkpoints and the best", async () => {
    const path = newPath();
    const run = await createRun(path, MADE_DESCRIPTION);
    for (const step of [1, 2, 3, 4, 5]) await run.saveCheckpoint(madeCheckpoint(step), step === 2 ? "best" : "last");
    await run.close();
    expect(await checkpointFiles(path)).toEqual([
      "best.json",
      ...[2, 4, 5].flatMap((step) => [`step-0000000${step}.json`, `step-0000000${step}.safetensors`]),
    ]);
    expect((await (await readRun(path)).bestCheckpoint())?.checkpoint.progress.step).toBe(2);
  });

  it("saves the same step as best and as last, and remains undamaged if its variables differ", async () => {
    const path = newPath();
    const run = await createRun(path, MADE_DESCRIPTION);
    await run.saveCheckpoint(madeCheckpoint(3), "best");
    await run.saveCheckpoint(madeCheckpoint(3), "last");
    expect((await run.bestCheckpoint())?.checkpoint.progress.step).toBe(3);
    const other = { ...madeCheckpoint(3), variables: { weight: float32([1], [7]) } };
    await run.saveCheckpoint(other, "last");
    expect((await run.latestCheckpoint())?.checkpoint.variables).toEqual(other.variables);
    await run.close();
  });

  it("refuses a folder that holds something, and one with a run", async () => {
    const path = newPath();
    await mkdir(path);
    await writeFile(join(path, "thesis.txt"), "x");
    await expect(createRun(path, MADE_DESCRIPTION)).rejects.toThrow(
      `${path}: the folder of a new run must be empty, got ${join(path, "thesis.txt")} in it. Choose another folder.`,
    );
    expect(await readdir(path)).toEqual(["thesis.txt"]);
    const run = await runWithCheckpoints(1);
    await expect(createRun(run, MADE_DESCRIPTION)).rejects.toThrow("got one with a run in it. Resume that run, or");
    await expect(openRun(path)).rejects.toThrow(`${path}: must be the folder of a run, got a folder without run.json.`);
    await expect(readRun(join(root, "none"))).rejects.toThrow("must be the folder of a run, got nothing there.");
  });

  it("says what is wrong with a damaged run.json", async () => {
    const path = await runWithCheckpoints();
    const file = join(path, "run.json");
    await writeFile(file, "{");
    await expect(readRun(path)).rejects.toThrow(`${file}: must be JSON, got:`);
    await writeFile(file, JSON.stringify({ ...MADE_DESCRIPTION, version: 2 }));
    await expect(readRun(path)).rejects.toThrow(
      "must be of version 1, got 2. Use the version of Modicum that wrote it.",
    );
    await writeFile(file, JSON.stringify({ ...MADE_DESCRIPTION, device: 3 }));
    await expect(readRun(path)).rejects.toThrow('must describe a run, got a problem at "device"');
  });
});

describe("a damaged checkpoint", () => {
  const damages: Readonly<Record<string, (path: string, step: number) => Promise<void>>> = {
    "truncated variables": (path, step) => truncate(stepFile(path, step, "safetensors"), 100),
    "no variables": async (path, step) => rmSync(stepFile(path, step, "safetensors")),
    "a flipped bit": async (path, step) => {
      const bytes = await readFile(stepFile(path, step, "safetensors"));
      bytes[bytes.length - 1]! ^= 1;
      await writeFile(stepFile(path, step, "safetensors"), bytes);
    },
    "a truncated record": (path, step) => truncate(stepFile(path, step, "json"), 40),
    "an empty record": (path, step) => truncate(stepFile(path, step, "json"), 0),
  };

  it.each(Object.keys(damages))("with %s is passed over for the one before, and a remark names it", async (what) => {
    const path = await runWithCheckpoints(5, 9);
    await damages[what]!(path, 9);
    const run = await openRun(path);
    const found = await run.latestCheckpoint();
    expect(found?.checkpoint.progress.step).toBe(5);
    expect(found?.remarks).toEqual([
      expect.stringMatching(/step-00000009\.(json|safetensors): must .* before is used\.$/),
    ]);
    // Going on from step 5, the damaged one must not count as one of the two that are kept.
    await run.rewindTo(5);
    for (const step of [6, 7]) await run.saveCheckpoint(madeCheckpoint(step), "last");
    expect(await checkpointFiles(path)).toHaveLength(4);
    expect((await run.latestCheckpoint())?.checkpoint.progress.step).toBe(7);
    await run.close();
  });

  it("is an error if there is no other", async () => {
    const path = await runWithCheckpoints(5, 9);
    for (const step of [5, 9]) await damages["a flipped bit"]!(path, step);
    await expect((await readRun(path)).latestCheckpoint()).rejects.toThrow(
      /checkpoints: one checkpoint at least must be undamaged, got 2 damaged\. .*step-00000009.*step-00000005.*Start a new run\.$/,
    );
  });

  it("is none if its record was never written", async () => {
    const path = await runWithCheckpoints(5);
    await writeFile(stepFile(path, 9, "safetensors"), "half");
    await writeFile(join(path, "checkpoints", ".step-00000009.json.0123456789ab.tmp"), "half");
    const run = await openRun(path);
    expect(await run.latestCheckpoint()).toMatchObject({ remarks: [], checkpoint: { progress: { step: 5 } } });
    await run.rewindTo(5);
    expect(await checkpointFiles(path)).toEqual(["step-00000005.json", "step-00000005.safetensors"]);
    await run.close();
  });

  it("counts as best if only best.json was not written any more", async () => {
    const path = newPath();
    const run = await createRun(path, MADE_DESCRIPTION);
    await run.saveCheckpoint(madeCheckpoint(1), "best");
    await run.saveCheckpoint(madeCheckpoint(2), "best");
    await run.close();
    await writeFile(join(path, "checkpoints/best.json"), '{"step":1}');
    const again = await openRun(path);
    await again.rewindTo(2);
    for (const step of [3, 4, 5]) await again.saveCheckpoint(madeCheckpoint(step), "last");
    expect((await again.bestCheckpoint())?.checkpoint.progress.step).toBe(2);
    await again.close();
  });
});

describe("the log of events", () => {
  it("goes on from a checkpoint as if what came after had not happened", async () => {
    const path = newPath();
    let run = await createRun(path, MADE_DESCRIPTION);
    await run.onEvent(madeSteps(1));
    await run.onEvent(madeEvaluation(2));
    await run.saveCheckpoint(madeCheckpoint(2), "last");
    // Also an event of the same step, when it came after the checkpoint.
    for (const event of [madeEvaluation(2), madeSteps(3)]) await run.onEvent(event);
    await run.close();
    run = await openRun(path);
    await run.rewindTo(2);
    await run.onEvent(madeSteps(4));
    await run.close();
    expect(await (await readRun(path)).events()).toEqual([madeSteps(1), madeEvaluation(2), madeSteps(4)]);
  });

  it("begins anew at step 0 without a checkpoint, and refuses steps without one", async () => {
    const path = await runWithCheckpoints();
    const run = await openRun(path);
    await run.onEvent(madeSteps(1));
    await expect(run.rewindTo(1)).rejects.toThrow("a run goes on from a checkpoint, got step 1, which has none.");
    await run.rewindTo(0);
    await run.close();
    expect(await (await readRun(path)).events()).toEqual([]);
  });

  it("is read without a last line that was cut off, and written on behind the line before", async () => {
    const path = await runWithCheckpoints(1, 2);
    await appendFile(join(path, "events.jsonl"), '{"type":"steps","st');
    expect(await (await readRun(path)).events()).toEqual([madeSteps(1), madeSteps(2)]);
    const run = await openRun(path);
    await run.onEvent(madeSteps(3));
    await run.close();
    expect(await (await readRun(path)).events()).toEqual([1, 2, 3].map(madeSteps));
  });

  it("names a line that is damaged", async () => {
    const path = await runWithCheckpoints(1);
    await appendFile(join(path, "events.jsonl"), "null\n");
    await expect((await readRun(path)).events()).rejects.toThrow(
      `${join(path, "events.jsonl")}, line 2: must be an event with type, step, epoch, seconds and time as JSON, got "null".`,
    );
  });

  it("that lost its end does not stop a run: a remark says so", async () => {
    const path = await runWithCheckpoints(1, 2);
    await writeFile(join(path, "events.jsonl"), "");
    const run = await openRun(path);
    const found = await run.latestCheckpoint();
    expect(found?.checkpoint.progress.step).toBe(2);
    expect(found?.remarks).toEqual([expect.stringContaining("Some of what happened before is not on record.")]);
    await run.rewindTo(2);
    await run.onEvent(madeSteps(3));
    await run.close();
    expect(await (await readRun(path)).events()).toEqual([madeSteps(3)]);
  });
});

describe("the lock of a run", () => {
  it("is refused while a process holds it, this one or another, and names that process", async () => {
    const path = await runWithCheckpoints(1);
    const run = await openRun(path);
    await expect(openRun(path)).rejects.toThrow(
      `${path}: must not be in use by another run, got process ${process.pid}. Wait for it, stop it, or choose another folder.`,
    );
    expect((await readRun(path)).holder?.pid).toBe(process.pid);
    await run.close();
    await (await openRun(path)).close();
    expect(await readdir(path)).not.toContain("lock");
  });

  it("is taken over from a process that was killed", async () => {
    const path = await runWithCheckpoints(1);
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
    await once(child, "spawn");
    await writeFile(join(path, "lock"), JSON.stringify({ pid: child.pid, host: hostname() }));
    await expect(openRun(path)).rejects.toThrow(`got process ${child.pid}.`);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect((await readRun(path)).holder).toBeUndefined();
    const run = await openRun(path);
    expect(JSON.parse(await readFile(join(path, "lock"), "utf8"))).toMatchObject({ pid: process.pid });
    await run.close();
  });

  it.skipIf(process.platform !== "linux")(
    "is taken over when its process number belongs to a later process",
    async () => {
      const path = await runWithCheckpoints(1);
      const started = "1 of another boot";
      await writeFile(join(path, "lock"), JSON.stringify({ pid: process.pid, host: hostname(), started }));
      await (await openRun(path)).close();
    },
  );

  it("is taken over when the machine went down before it was on the disk", async () => {
    const path = await runWithCheckpoints(1);
    await writeFile(join(path, "lock"), "");
    await (await openRun(path)).close();
  });

  it("of another machine is believed", async () => {
    const path = await runWithCheckpoints(1);
    await writeFile(join(path, "lock"), JSON.stringify({ pid: 1, host: "elsewhere" }));
    await expect(openRun(path)).rejects.toThrow(
      `got process 1 on elsewhere. Whether it still runs cannot be told from here: if it does not, remove ${join(path, "lock")}.`,
    );
  });

  it("goes to one of many that want a dead one at the same time", async () => {
    const path = await runWithCheckpoints(1);
    await writeFile(join(path, "lock"), "");
    const results = await Promise.allSettled(Array.from({ length: 16 }, () => openRun(path)));
    const opened = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    expect(opened).toHaveLength(1);
    await opened[0]!.close();
    expect((await readdir(path)).filter((name) => name.includes("lock"))).toEqual([]);
  });
});

/** Mounting needs root and Linux; a container may forbid it too. */
function reasonWithoutSmallDisk(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "modicum-small-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], { stdio: "ignore" });
    execFileSync("umount", [folder]);
    return undefined;
  } catch {
    return "a small file system cannot be mounted here";
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const reason = reasonWithoutSmallDisk();
if (reason !== undefined) console.log(`skipped: a full disk: ${reason}`);

describe.skipIf(reason !== undefined)("a full disk", () => {
  let disk: string;
  beforeAll(() => {
    disk = mkdtempSync(join(tmpdir(), "modicum-small-disk-"));
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]);
  });
  afterAll(() => {
    execFileSync("umount", [disk]);
    rmSync(disk, { recursive: true, force: true });
  });

  it("is named, and leaves the checkpoint before as it was", async () => {
    const path = join(disk, "run");
    const run = await createRun(path, MADE_DESCRIPTION);
    await run.onEvent(madeSteps(1));
    await run.saveCheckpoint(madeCheckpoint(1), "last");
    const large = { ...madeCheckpoint(2), variables: { weight: float32([50_000], new Float32Array(50_000)) } };
    await expect(run.saveCheckpoint(large, "last")).rejects.toThrow(
      `${stepFile(path, 2, "safetensors")}: must be writable, got no space left on the disk.`,
    );
    expect(await checkpointFiles(path)).toEqual(["step-00000001.json", "step-00000001.safetensors"]);
    expect(await run.latestCheckpoint()).toMatchObject({ remarks: [], checkpoint: { progress: { step: 1 } } });
    // An event that does not fit leaves no half line.
    const huge = {
      ...madeSteps(3),
      metrics: Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`m${i}`, i])),
    };
    await expect(run.onEvent(huge as RunEvent)).rejects.toThrow("events.jsonl: must be writable, got no space left");
    await run.close();
    expect(await (await readRun(path)).events()).toEqual([madeSteps(1)]);
  });
});

function bits(data: ArrayLike<unknown> & object): Uint8Array {
  const { buffer, byteOffset, byteLength } = data as Uint8Array;
  return new Uint8Array(buffer, byteOffset, byteLength);
}
