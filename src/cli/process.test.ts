/** What only a process of its own shows: exit codes, signals, a full disk, and what is loaded. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EXAMPLE, EXAMPLE_MODEL, temporaryFolder } from "./models.cases.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BIN = join(ROOT, "bin", "modicum.js");
const run = promisify(execFile);

let folder = "";
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true }));

function exitOf(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((done) => child.once("exit", (code, signal) => done({ code, signal })));
}

describe("modicum as a process", () => {
  it("exits with the code of main, its result alone on stdout", async () => {
    const good = await run(process.execPath, [BIN, "inspect", EXAMPLE_MODEL, "--json"]);
    expect(JSON.parse(good.stdout)).toMatchObject({ path: EXAMPLE_MODEL });
    expect(good.stderr).toBe("");
    await expect(run(process.execPath, [BIN, "inspect", "none.onnx"])).rejects.toMatchObject({ code: 1, stdout: "" });
    await expect(run(process.execPath, [BIN, "inspect"])).rejects.toMatchObject({ code: 2, stdout: "" });
  });

  it("loads neither ONNX Runtime nor sharp nor a plotting library for help", async () => {
    const script = `
      const { register } = await import("tsx/esm/api");
      register();
      const { main } = await import(${JSON.stringify(new URL("./main.ts", import.meta.url).href)});
      for (const argv of [["--help"], ["quantize", "--help"], ["evaluate", "--help"]]) await main(argv);
      console.error(JSON.stringify(process.report.getReport().sharedObjects));`;
    const { stderr } = await run(process.execPath, ["--input-type=module", "-e", script], { cwd: ROOT });
    expect(stderr).toContain("libc");
    expect(stderr).not.toMatch(/onnxruntime|sharp|vips/);
  });

  it("ends cleanly on Ctrl-C: exit code 130, one message, no file", async () => {
    const argv = [
      "evaluate",
      EXAMPLE_MODEL,
      "--data",
      EXAMPLE,
      "--timing",
      "60",
      "--report",
      join(folder, "page.html"),
    ];
    const child = spawn(process.execPath, [BIN, ...argv], { stdio: ["ignore", "pipe", "pipe"] });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      if (text.includes("evaluate: 500/500")) child.kill("SIGINT");
    });
    const { code, signal } = await exitOf(child);
    // 130 when the work could be stopped in time, otherwise death by the signal, which a shell reports as 130 too.
    expect([code, signal]).toSatisfy(([c, s]) => c === 130 || s === "SIGINT");
    if (code === 130) expect(stderr).toContain("error: interrupted; nothing was written.");
    expect(await readdir(folder)).toEqual([]);
  });

  it("trains until Ctrl-C or SIGTERM, saves a checkpoint, says how to go on, and goes on", async () => {
    const output = join(folder, "run");
    const trainUntil = async (signal: NodeJS.Signals, ...argv: string[]) => {
      const child = spawn(process.execPath, [BIN, "train", ...argv], { stdio: ["ignore", "pipe", "pipe"] });
      let stderr = "";
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        stderr += text;
        // A row of the table: at least one pass is done.
        if (/±/.test(text)) child.kill(signal);
      });
      return { ...(await exitOf(child)), stderr };
    };
    const recipe = ["mlp", "--data", "example", "--batch", "50", "--set", "model.width=0.1", "--epochs", "100000"];
    const steps: number[] = [];
    for (const argv of [
      [...recipe, "--output", output],
      ["--resume", output],
    ]) {
      const { code, stderr } = await trainUntil(steps.length === 0 ? "SIGINT" : "SIGTERM", ...argv);
      expect(code, stderr).toBe(130);
      const [, step] =
        /interrupted after step (\d+) of 1000000\. Go on with `modicum train --resume .*`\./.exec(stderr) ?? [];
      steps.push(Number(step));
      const last = (await readdir(join(output, "checkpoints"))).filter((name) => /^step-.*\.json$/.test(name)).sort();
      expect(last.at(-1)).toBe(`step-${String(step).padStart(8, "0")}.json`);
    }
    expect(steps[0]).toBeGreaterThanOrEqual(10);
    expect(steps[1]).toBeGreaterThan(steps[0]!);
    await rm(output, { recursive: true });
  });

  it("ends quietly when nobody reads on, and with an error when stdout is full", async () => {
    const inBash = (command: string) =>
      run("bash", ["-o", "pipefail", "-c", command, process.execPath, BIN, "inspect", EXAMPLE_MODEL]);
    await expect(inBash(`"$0" "$@" | true`)).resolves.toMatchObject({ stdout: "", stderr: "" });
    await expect(inBash(`"$0" "$@" --json | head -1`)).resolves.toMatchObject({ stdout: "{\n", stderr: "" });
    await expect(inBash(`"$0" "$@" >/dev/full`)).rejects.toMatchObject({
      code: 1,
      stderr: "error: stdout: must be writable, got ENOSPC.\n",
    });
  });

  it("leaves nothing behind when the disk is full", async () => {
    // A limit on the size of files fails as a full disk does, in the middle of writing.
    const command = `ulimit -f 20; exec "$0" "$@"`;
    const argv = [BIN, "quantize", EXAMPLE_MODEL, "--calibrate", EXAMPLE, "-o", join(folder, "small.onnx"), "--quiet"];
    await expect(run("bash", ["-c", command, process.execPath, ...argv])).rejects.toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining("small.onnx: must be writable"),
    });
    expect(await readdir(folder)).toEqual([]);
  });
});
