import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TrainingData } from "../data/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { coin } from "./coin.cases.ts";
import type { Experiment, Lab, Unit } from "./experiment.ts";
import { secondsLeft } from "./remaining-time.ts";
import { packOutcomes, unpackOutcomes } from "./right-or-wrong.ts";
import { type ExperimentProgress, resultsOf, runExperiment } from "./run-experiment.ts";

const runtime = { device: "cpu", description: "a runtime 1.0" } as Runtime;
let work = "";
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "modicum-experiments-"));
});
afterAll(() => rm(work, { recursive: true }));

/** The experiment with its units counted, and something done before each. */
function watched(before: (key: string, seed: number) => void = () => {}, change: Partial<Experiment> = {}) {
  const ran: string[] = [];
  const units = (design: unknown, seed: number): Unit<unknown>[] =>
    (coin as Experiment).units(design, seed).map((unit) => ({
      ...unit,
      run: (lab) => {
        before(unit.key, seed);
        ran.push(`${seed}/${unit.key}`);
        return unit.run(lab);
      },
    }));
  return { ran, experiment: { ...(coin as Experiment), units, ...change } };
}

const options = (folder: string) => ({ scale: "smoke", data: {}, runtime, work: join(work, folder) }) as const;

describe("runExperiment", () => {
  it("runs every unit of every seed once; a second run finds all of them done", async () => {
    const { ran, experiment } = watched();
    const first = await runExperiment(experiment, options("twice"));
    expect(ran).toEqual(["1/fair", "1/loaded", "2/fair", "2/loaded"]);
    expect(await runExperiment(experiment, options("twice"))).toEqual(first);
    expect(ran).toHaveLength(4);
    expect(resultsOf(first).of("fair")).toHaveLength(2);
    expect(() => resultsOf(first).of("none")).toThrow('internal: no unit is called "none"');
  });

  it("goes on behind the last finished unit after a failure, with the same results", async () => {
    const whole = await runExperiment(coin, options("whole"));
    const broken = watched((key, seed) => {
      if (key === "loaded" && seed === 1) throw new Error("power cut");
    });
    await expect(runExperiment(broken.experiment, options("cut"))).rejects.toThrow("power cut");
    const { ran, experiment } = watched();
    const resumed = await runExperiment(experiment, options("cut"));
    expect(ran).toEqual(["1/loaded", "2/fair", "2/loaded"]);
    expect(resumed.units.map(({ result }) => result)).toEqual(whole.units.map(({ result }) => result));
  });

  it("stops at the next unit when aborted", async () => {
    const controller = new AbortController();
    const { ran, experiment } = watched((key) => key === "loaded" && controller.abort());
    await expect(runExperiment(experiment, { ...options("abort"), signal: controller.signal })).rejects.toThrow(
      /abort/i,
    );
    expect(ran).toEqual(["1/fair", "1/loaded"]);
  });

  it("adds seeds to what is there", async () => {
    const { ran, experiment } = watched();
    await runExperiment(experiment, { ...options("seeds"), seeds: 1 });
    const { seeds } = await runExperiment(experiment, { ...options("seeds"), seeds: 3 });
    expect(seeds).toEqual([1, 2, 3]);
    expect(ran).toHaveLength(6);
  });

  it("never mixes results of different designs, versions, data or runtimes", async () => {
    const { scales } = coin as Experiment;
    const longer = { ...scales, smoke: { ...scales.smoke, design: { tosses: 21, loaded: 0.75 } } };
    const onData = { ...scales, smoke: { ...scales.smoke, data: ["mnist"] } };
    const data = (fingerprint: string) => ({
      data: { mnist: { set: "mnist:x", data: { fingerprint } as TrainingData } },
    });
    const others = [
      { change: {}, rest: {} },
      { change: { version: 2 }, rest: {} },
      { change: { scales: longer }, rest: {} },
      { change: { scales: onData }, rest: data("a") },
      { change: { scales: onData }, rest: data("b") },
      { change: {}, rest: { runtime: { ...runtime, description: "a runtime 2.0" } } },
    ];
    const hashes = new Set<string>();
    for (const { change, rest } of others) {
      const { ran, experiment } = watched(() => {}, change);
      hashes.add((await runExperiment(experiment, { ...options("mixed"), ...rest })).hash);
      expect(ran).toHaveLength(4);
    }
    expect(hashes.size).toBe(others.length);
    expect(await readdir(join(work, "mixed", "coin"))).toHaveLength(others.length);
    // What does not count for the numbers does not count for the name: texts, and the order of keys.
    const reworded = {
      ...scales,
      smoke: { ...scales.smoke, description: "other words", design: { loaded: 0.75, tosses: 20 } },
    };
    const { ran, experiment } = watched(() => {}, { scales: reworded, title: "another" });
    await runExperiment(experiment, options("mixed"));
    expect(ran).toEqual([]);
  });

  it("does a unit again whose file is damaged", async () => {
    const { ran, experiment } = watched();
    const { hash } = await runExperiment(experiment, options("damaged"));
    const file = join(work, "damaged", "coin", `smoke-${hash}`, "seed-2", "fair.unit.json");
    await writeFile(file, (await readFile(file)).subarray(0, 40));
    await runExperiment(experiment, options("damaged"));
    expect(ran.slice(4)).toEqual(["2/fair"]);
  });

  it("says what data are missing, and how to give them", async () => {
    const { scales } = coin as Experiment;
    const needy = {
      ...coin,
      scales: { ...scales, smoke: { ...scales.smoke, data: ["mnist", "cifar10"] } },
    } as Experiment;
    const data = { mnist: { set: "mnist:x", data: { fingerprint: "a" } as TrainingData } };
    await expect(runExperiment(needy, { ...options("needy"), data })).rejects.toThrow(
      "coin: the data sets mnist, cifar10 must be there, got none for cifar10. Say where they are: --data cifar10:PATH",
    );
  });

  it("refuses what an experiment's author did wrong", async () => {
    const [unit] = (coin as Experiment).units(coin.scales.smoke.design, 1);
    const made = (units: readonly Partial<Unit<unknown>>[]) =>
      ({ ...coin, units: () => units.map((changed) => ({ ...unit, ...changed })) }) as Experiment;
    await expect(runExperiment(made([{}, {}]), options("faults"))).rejects.toThrow('two units "fair"');
    await expect(runExperiment(made([{ key: "../x" }]), options("faults"))).rejects.toThrow("a unit's key must be");
    const early = made([{ run: async (lab) => lab.result("later") }, { key: "later" }]);
    await expect(runExperiment(early, options("faults"))).rejects.toThrow('needs the result of "later"');
  });

  it("tells where it is, and how long it will take", async () => {
    const steps: ExperimentProgress[] = [];
    await runExperiment(coin, { ...options("progress"), onProgress: (step) => steps.push(step) });
    expect(steps.map(({ number, fraction }) => `${number}:${fraction}`).slice(0, 4)).toEqual([
      "1:0",
      "1:1",
      "1:1",
      "2:0",
    ]);
    expect(steps[0]).toMatchObject({ seed: 1, unit: "fair", count: 4, secondsLeft: 4 });
    expect(steps[1]!.text).toMatch(/heads$/);
    expect(steps.at(-1)!.secondsLeft).toBe(0);
  });
});

describe("the time of a unit", () => {
  it("counts the work it goes on from", async () => {
    const slow = async (lab: Lab) => {
      lab.spentBefore(300);
      lab.progress(0.5);
      return 1;
    };
    const units = (): Unit<unknown>[] => [{ key: "long", seconds: 100, run: slow }];
    const steps: ExperimentProgress[] = [];
    const onProgress = (step: ExperimentProgress) => steps.push(step);
    const run = await runExperiment({ ...coin, units } as Experiment, { ...options("before"), seeds: 1, onProgress });
    expect(run.seconds).toBeGreaterThanOrEqual(300);
    expect(run.seconds).toBeLessThan(310);
    expect(Math.round(steps[1]!.secondsLeft / 30)).toBe(10);
  });
});

describe("a run that is killed", () => {
  const script = (folder: string) => `
    const { register } = await import("tsx/esm/api");
    register();
    const { runExperiment } = await import(${JSON.stringify(new URL("./run-experiment.ts", import.meta.url).href)});
    const { coin } = await import(${JSON.stringify(new URL("./coin.cases.ts", import.meta.url).href)});
    const units = (design, seed) => coin.units(design, seed).map((unit) => ({
      ...unit,
      run: async (lab) => {
        const result = await unit.run(lab);
        console.log(unit.key);
        await new Promise((done) => setTimeout(done, seed === 2 ? 60_000 : 0));
        return result;
      },
    }));
    await runExperiment({ ...coin, units }, {
      scale: "smoke", data: {}, work: ${JSON.stringify(folder)},
      runtime: { device: "cpu", description: "a runtime 1.0" },
    });`;

  it("goes on in another process, without doing anything twice", async () => {
    const folder = join(work, "killed");
    const root = fileURLToPath(new URL("../..", import.meta.url));
    const child = spawn(process.execPath, ["--input-type=module", "-e", script(folder)], {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
    });
    await killAt(child, 3);
    const { ran, experiment } = watched();
    const run = await runExperiment(experiment, options("killed"));
    expect(ran).toEqual(["2/fair", "2/loaded"]);
    const whole = await runExperiment(coin, options("not-killed"));
    expect(run.units.map(({ result }) => result)).toEqual(whole.units.map(({ result }) => result));
  });
});

/** Kills a process when it has printed so many lines, and waits for its end. */
async function killAt(child: ChildProcess, lines: number): Promise<void> {
  const ended = new Promise((done) => child.once("exit", done));
  let text = "";
  child.stdout!.setEncoding("utf8").on("data", (part: string) => {
    text += part;
    if (text.split("\n").length > lines) child.kill("SIGKILL");
  });
  await ended;
}

describe("the remaining time", () => {
  it("scales what was expected by how slow the machine was so far", () => {
    const none = { expected: 0, taken: 0 };
    expect(secondsLeft(none, { expected: 10, taken: 3, fraction: 0 }, 30)).toBe(40);
    expect(secondsLeft(none, { expected: 10, taken: 10, fraction: 0.5 }, 30)).toBe(2 * 35);
    expect(secondsLeft({ expected: 10, taken: 20 }, { expected: 10, taken: 3, fraction: 0 }, 30)).toBe(2 * 40);
  });
});

describe("packed outcomes", () => {
  it.each([0, 1, 8, 13])("come back as they were: %d", (count) => {
    const right = Uint8Array.from({ length: count }, (_, i) => (i % 3 === 1 ? 1 : 0));
    expect(unpackOutcomes(packOutcomes(right))).toEqual(right);
  });
});
